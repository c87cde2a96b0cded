"""Only one scripts/run at a time works in a data folder. The next one learns whether the last one was killed."""

from __future__ import annotations

import fcntl
from pathlib import Path


class AtWork(RuntimeError):
    """Another scripts/run has the folder. One line that names its process."""


class Claim:
    """This process's claim to a data folder. If the process is killed, the kernel gives the claim up.

    killed: process id of the last run if it did not end in order, else "".
    """

    def __init__(self, data: Path, pid: int) -> None:
        """Raises AtWork, and OSError if the folder cannot be written."""
        data.mkdir(parents=True, exist_ok=True)
        self._file = (data / "run.pid").open("a+")
        self._file.seek(0)
        found = self._file.read(20).strip()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            who = f"process {found}" if found else "another process"
            raise AtWork(
                f"scripts/run already works in {data} ({who}). Stop it, or name another folder with --data"
            ) from None
        self.killed = found
        self._write(str(pid))

    def release(self) -> None:
        """This run has ended in order."""
        self._write("")
        self._file.close()

    def _write(self, text: str) -> None:
        self._file.truncate(0)
        self._file.write(text)
        self._file.flush()
