"""Official Vosk models by name: downloaded once, checked against the list's checksum, unpacked into the cache."""

from __future__ import annotations

import difflib
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import requests
from tqdm import tqdm

from workers.engines import fetch
from workers.engines.base import ModelUnusable
from workers.engines.cache import cache_folder, locked

OFFICIAL_URL = "https://alphacephei.com/vosk/models"
"""Where the official models are; it has model-list.json and a NAME.zip for each model."""

LIST_SECONDS = 5.0
"""The list (a few kB) must be there after this time, name resolution included: offline start waits no longer."""

CONNECT_SECONDS = 4.0
"""Time for one connection to be made."""

STALL_SECONDS = 20.0
"""A download is given up when nothing came for so long."""

BLOCK_BYTES = 1 << 18
"""Read at once from the network."""


class DownloadError(ModelUnusable):
    """The model could not be downloaded. One clear sentence."""


class ListedModel(msgspec.Struct, frozen=True):
    """An entry of the official list, as far as it matters. `size` in bytes."""

    name: str
    md5: str
    size: int = 0


def official_model(name: str, cache: Path | None = None, base_url: str = OFFICIAL_URL) -> Path:
    """The folder of the official model `name`, downloaded if it is not in the cache yet.

    Raises:
        DownloadError: no network, unknown name, download cut off or damaged, disk full.
        ModelUnusable: the cache cannot be written.
    """
    cache = cache or cache_folder()
    found = cached_model(name, cache)
    if found is not None:
        return found
    entry = _find(name, base_url)
    with locked(cache) as scratch:
        found = cached_model(name, cache)  # by another process, while we waited
        return found if found is not None else _fetch(entry, cache, scratch, base_url)


def cached_model(name: str, cache: Path | None = None) -> Path | None:
    """The model's folder if it was downloaded before."""
    if not name or Path(name).name != name:
        return None
    folder = (cache or cache_folder()) / "downloads" / name
    return folder if folder.is_dir() else None


def _find(name: str, base_url: str) -> ListedModel:
    url = f"{base_url.rstrip('/')}/model-list.json"
    program = [sys.executable, "-I", str(Path(fetch.__file__)), url, str(LIST_SECONDS)]
    try:
        fetched = subprocess.run(program, check=False, capture_output=True, timeout=LIST_SECONDS)
    except subprocess.TimeoutExpired:
        raise DownloadError(f"{url} did not answer in {LIST_SECONDS:.0f} s, so {name} was not downloaded.") from None
    if fetched.returncode:
        reason = (fetched.stderr.decode(errors="replace").strip().splitlines() or ["cannot be read"])[-1]
        raise DownloadError(f"{url} {reason}, so {name} was not downloaded.")
    try:
        models = msgspec.json.decode(fetched.stdout, type=list[ListedModel])
    except msgspec.DecodeError:
        raise DownloadError(f"{url} is no list of models, so {name} was not downloaded.") from None
    for model in models:
        if model.name == name:
            return model
    near = difflib.get_close_matches(name, [model.name for model in models], n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise DownloadError(f"{name} is no official Vosk model.{hint}")


def _fetch(model: ListedModel, cache: Path, scratch: Path, base_url: str) -> Path:
    """Download, check and unpack; called with the cache locked."""
    target = cache / "downloads" / model.name
    try:
        target.parent.mkdir(exist_ok=True)
        scratch.mkdir()
        archive = scratch / "model.zip"
        _save(f"{base_url.rstrip('/')}/{model.name}.zip", archive, model)
        _unpack(archive, scratch / "unpacked", model.name).rename(target)
    except OSError as error:
        raise DownloadError(f"{model.name} cannot be stored in {cache}: {error.strerror or error}.") from None
    return target


def _save(url: str, archive: Path, model: ListedModel) -> None:
    checksum = hashlib.md5(usedforsecurity=False)
    received = 0
    host = urlsplit(url).netloc
    try:
        with (
            requests.get(url, stream=True, timeout=(CONNECT_SECONDS, STALL_SECONDS)) as answer,
            archive.open("wb") as file,
        ):
            if not answer.ok:
                raise DownloadError(f"{url} answered {answer.status_code}, so {model.name} was not downloaded.")
            expected = int(answer.headers.get("Content-Length", model.size))
            with tqdm(total=expected or None, unit="B", unit_scale=True, desc=model.name, file=sys.stderr) as bar:
                for block in answer.iter_content(BLOCK_BYTES):
                    checksum.update(block)
                    received += len(block)
                    file.write(block)
                    bar.update(len(block))
    except requests.RequestException:
        raise DownloadError(f"The download of {model.name} from {host} was cut off after {received} bytes.") from None
    if received < expected:
        raise DownloadError(f"The download of {model.name} from {host} was cut off after {received} bytes.")
    if checksum.hexdigest() != model.md5:
        raise DownloadError(f"{model.name} from {host} is damaged: its checksum is not the list's.")


def _unpack(archive: Path, folder: Path, name: str) -> Path:
    """Unpack into `folder`; the model's own folder in it. Refuses members that would land elsewhere."""
    try:
        with zipfile.ZipFile(archive) as contents:
            for member in contents.namelist():
                if not (folder / member).resolve().is_relative_to(folder.resolve()):
                    raise DownloadError(f"{name}.zip is unsafe: it holds {member!r}, outside of its folder.")
            contents.extractall(folder)
    except (zipfile.BadZipFile, EOFError, NotImplementedError):
        raise DownloadError(f"{name}.zip is no usable zip file.") from None
    archive.unlink()
    if not (folder / name).is_dir():
        raise DownloadError(f"{name}.zip holds no folder {name}.")
    return folder / name
