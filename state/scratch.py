"""A folder for as long as a process lives, and its forks. Whoever makes one removes those of the dead before.

A lock on a file in the folder tells whether it is in use. The system gives it back with the last process that has the
file open, however that ends. So nobody has to trust a number: processes of one machine come and go, and the system
gives a dead one's number to another.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

LOCK = "in-use"
"""Name of the locked file. A folder without it is none of ours: it stays."""


def make(prefix: str) -> str:
    """A new folder of this prefix among the temporary files. It goes when this process ends, or when another one of the
    prefix is made after it was killed. Its forks keep it."""
    _remove_dead(prefix)
    while True:
        folder = tempfile.mkdtemp(prefix=prefix)
        lock = os.open(Path(folder) / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            break
        os.close(lock)  # somebody who looked for folders of the dead was faster
    mine = os.getpid()
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == mine else None)
    return folder


def _remove_dead(prefix: str) -> None:
    """Remove this user's folders of this prefix that nobody has locked."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        try:
            if folder.lstat().st_uid != os.geteuid():
                continue
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass  # its process lives
        finally:
            os.close(lock)
