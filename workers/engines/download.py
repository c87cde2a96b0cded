"""Official models: downloaded once, checked against their list's checksum, unpacked into the cache."""

from __future__ import annotations

import hashlib
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec
import requests
from tqdm import tqdm

from workers.engines.base import ModelUnusable
from workers.engines.cache import locked

CONNECT_SECONDS = 4.0
"""Seconds for one connection."""

STALL_SECONDS = 20.0
"""Seconds without a byte until a download is given up."""

BLOCK_BYTES = 1 << 18
"""Bytes to read from the network at once."""


class DownloadError(ModelUnusable):
    """The model could not be downloaded. One clear sentence."""


class Archive(msgspec.Struct, frozen=True):
    """A model to download: a .zip or .tar.bz2 with one folder of the model's name. `size` in bytes, 0: unknown."""

    name: str
    url: str
    algorithm: Literal["md5", "sha256"]
    checksum: str
    size: int = 0

    @property
    def file(self) -> str:
        """The archive's file name."""
        return self.url.rpartition("/")[2]


def official_model(name: str, find: Callable[[str], Archive], cache: Path) -> Path:
    """The folder of the official model `name`, downloaded if it is not in the cache yet.

    find: looks the name up in a list (catalogues.py).

    Raises:
        DownloadError: no network, unknown name, download cut off or damaged, disk full.
        ModelUnusable: the cache cannot be written.
    """
    found = cached_model(name, cache)
    if found is not None:
        return found
    archive = find(name)
    with locked(cache) as scratch:
        found = cached_model(name, cache)  # by another process, while we waited
        return found if found is not None else _fetch(archive, cache, scratch)


def cached_model(name: str, cache: Path) -> Path | None:
    """The model's folder if it was downloaded before."""
    if not name or Path(name).name != name:
        return None
    folder = cache / "downloads" / name
    return folder if folder.is_dir() else None


def _fetch(archive: Archive, cache: Path, scratch: Path) -> Path:
    """Download, check and unpack; called with the cache locked."""
    target = cache / "downloads" / archive.name
    try:
        target.parent.mkdir(exist_ok=True)
        scratch.mkdir()
        file = scratch / "archive"
        _save(archive, file)
        _unpack(file, scratch / "unpacked", archive).rename(target)
    except OSError as error:
        raise DownloadError(f"{archive.name} cannot be stored in {cache}: {error.strerror or error}.") from None
    return target


def _save(archive: Archive, file: Path) -> None:
    checksum = hashlib.new(archive.algorithm, usedforsecurity=False)
    name, received = archive.name, 0
    host = urlsplit(archive.url).netloc
    try:
        with (
            requests.get(archive.url, stream=True, timeout=(CONNECT_SECONDS, STALL_SECONDS)) as answer,
            file.open("wb") as saved,
        ):
            if not answer.ok:
                raise DownloadError(f"{archive.url} answered {answer.status_code}, so {name} was not downloaded.")
            expected = int(answer.headers.get("Content-Length", archive.size))
            with tqdm(total=expected or None, unit="B", unit_scale=True, desc=name, file=sys.stderr) as bar:
                for block in answer.iter_content(BLOCK_BYTES):
                    checksum.update(block)
                    received += len(block)
                    saved.write(block)
                    bar.update(len(block))
    except requests.RequestException:
        raise DownloadError(f"The download of {name} from {host} was cut off after {received} bytes.") from None
    if received < expected:
        raise DownloadError(f"The download of {name} from {host} was cut off after {received} bytes.")
    if checksum.hexdigest() != archive.checksum:
        raise DownloadError(f"{name} from {host} is damaged: its checksum differs from the list's.")


def _unpack(file: Path, folder: Path, archive: Archive) -> Path:
    """Unpack into `folder`; returns the model's own folder there. Refuses members with a path that leads elsewhere."""
    try:
        if archive.file.endswith(".zip"):
            _unzip(file, folder, archive)
        else:
            with tarfile.open(file) as contents:
                contents.extractall(folder, filter="data")
    except tarfile.FilterError as error:
        raise DownloadError(f"{archive.file} is unsafe: {error}.") from None
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError):
        raise DownloadError(f"{archive.file} is not a usable archive.") from None
    file.unlink()
    if not (folder / archive.name).is_dir():
        raise DownloadError(f"{archive.file} holds no folder {archive.name}.")
    return folder / archive.name


def _unzip(file: Path, folder: Path, archive: Archive) -> None:
    with zipfile.ZipFile(file) as contents:
        for member in contents.namelist():
            if not (folder / member).resolve().is_relative_to(folder.resolve()):
                raise DownloadError(f"{archive.file} is unsafe: it holds {member!r}, outside its folder.")
        contents.extractall(folder)
