"""The folder that keeps models between runs, and the lock that lets one process at a time fill it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.engines.base import ModelUnusable


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/earshot/models, or ~/.cache/earshot/models. Not created."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "earshot" / "models"


@contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """Create `folder` if it is not there, and hold its lock. The lock ends with the process, however that dies.

    Yields the path of a folder in it for unfinished work; the caller makes it. The folder goes afterwards. What a
    killed process left there goes first.

    Raises:
        ModelUnusable: the folder cannot be created or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("w")
    except OSError as error:
        raise ModelUnusable(f"The model cache {folder} cannot be written: {error.strerror}.") from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        scratch = folder / ".scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
