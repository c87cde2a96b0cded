"""The steps of a process that dies at one of them."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event


def dying_at(number: int) -> Callable[..., None]:
    """Kill this process (SIGKILL) at this step, counted from 1. Each statement and commit to a database is a step, and
    each call of the returned function."""
    steps = itertools.count(1)

    def step(*_: Any) -> None:
        if next(steps) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)
    return step
