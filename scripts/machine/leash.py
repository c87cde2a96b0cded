"""Runs a command that ends with the process that started it, even if that is killed with SIGKILL:

    python -I -S scripts/machine/leash.py PARENT COMMAND ARGUMENT...

PARENT is the process id of the starter. The command takes this process's place and gets SIGTERM as soon as the thread
that started it is gone. Only Linux can do that; elsewhere the command just runs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>."""


def leashed(command: list[str]) -> list[str]:
    """The command line that runs `command` on a leash of this process. The calling thread must outlive it."""
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(os.getpid()), *command]


def main(parent: int, command: list[str]) -> None:
    """Become `command`. Exit status 127 and one line on stderr if it cannot be started."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # the parent was killed before the kernel knew of the leash
        raise SystemExit(1)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        raise SystemExit(127) from None


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
