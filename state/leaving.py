"""The end of a process."""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn


def leave(status: int) -> NoReturn:
    """End this process at once with this exit status. Functions registered for the exit still run.

    The interpreter does not take itself apart: that takes half a second of processor time in a process of ours, which
    on a busy machine is several of the ten seconds that a process has after SIGTERM.
    """
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
