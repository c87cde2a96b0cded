"""Where official models are listed, by name: Vosk's list and the releases of sherpa-onnx's models."""

from __future__ import annotations

import difflib
import subprocess
import sys
from pathlib import Path
from typing import TypeVar

import msgspec

from workers.engines import fetch
from workers.engines.download import Archive, DownloadError

VOSK_URL = "https://alphacephei.com/vosk/models"
"""Address with model-list.json and a NAME.zip for each model."""

SHERPA_URL = "https://github.com/k2-fsa/sherpa-onnx/releases/download/asr-models"
"""Address with checksum.txt ("file, tab, SHA-256" a line) and a NAME.tar.bz2 for each model."""

TAR = ".tar.bz2"

LIST_SECONDS = 5.0
"""Seconds to wait for the list (a few kB), name resolution included. A start without network waits no longer."""


T = TypeVar("T")


class _VoskModel(msgspec.Struct, frozen=True):
    """An entry of Vosk's list, with the fields we need. `size` in bytes."""

    name: str
    md5: str
    size: int = 0


def vosk_archive(name: str, base_url: str) -> Archive:
    """The archive of the official Vosk model `name`. Raises DownloadError if there is no list, or the model is not on
    it."""
    url = f"{base_url.rstrip('/')}/model-list.json"
    try:
        models = msgspec.json.decode(_fetched(url, name), type=list[_VoskModel])
    except msgspec.DecodeError:
        raise DownloadError(f"{url} is not a list of models, so {name} was not downloaded.") from None
    found = _pick(name, {model.name: model for model in models}, "Vosk model")
    return Archive(name, f"{base_url.rstrip('/')}/{name}.zip", "md5", found.md5, found.size)


def sherpa_archive(name: str, base_url: str) -> Archive:
    """The archive of the released sherpa-onnx model `name`. Raises DownloadError: no list to be had, or not on it."""
    url = f"{base_url.rstrip('/')}/checksum.txt"
    lines = [line.split("\t") for line in _fetched(url, name).decode(errors="replace").splitlines()]
    if not lines or any(len(line) != 2 for line in lines):
        raise DownloadError(f"{url} is not a list of checksums, so {name} was not downloaded.")
    models = {file.removesuffix(TAR): checksum for file, checksum in lines if file.endswith(TAR)}
    return Archive(name, f"{base_url.rstrip('/')}/{name}{TAR}", "sha256", _pick(name, models, "sherpa-onnx model"))


def _pick(name: str, models: dict[str, T], kind: str) -> T:
    found = models.get(name)
    if found is not None:
        return found
    near = difflib.get_close_matches(name, list(models), n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise DownloadError(f"{name} is no official {kind}.{hint}")


def _fetched(url: str, name: str) -> bytes:
    program = [sys.executable, "-I", str(Path(fetch.__file__)), url, str(LIST_SECONDS)]
    try:
        fetched = subprocess.run(program, check=False, capture_output=True, timeout=LIST_SECONDS)
    except subprocess.TimeoutExpired:
        raise DownloadError(f"{url} did not answer in {LIST_SECONDS:.0f} s, so {name} was not downloaded.") from None
    if fetched.returncode:
        reason = (fetched.stderr.decode(errors="replace").strip().splitlines() or ["cannot be read"])[-1]
        raise DownloadError(f"{url} {reason}, so {name} was not downloaded.")
    return fetched.stdout
