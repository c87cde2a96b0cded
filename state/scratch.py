"""A folder that lasts as long as a process and its forks. A process that makes one first removes those of dead
processes.

A lock on a file in the folder tells whether it is in use. The system releases the lock with the last process that has
the file open, however that ends. So nobody has to trust a process id, which the system gives to another process later.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

LOCK = "in-use"
"""Name of the locked file. A folder without it is not ours and stays."""


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
        os.close(lock)  # another process that removes folders of the dead was faster
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
