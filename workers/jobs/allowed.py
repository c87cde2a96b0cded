"""The list of jobs, and the form of each one's argument. A forged job in Redis gets no further."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from state.server.entries import read_entry_name
from state.types import CALL_ID
from workers.jobs.queue import Task


class JobRefused(ValueError):
    """Not one of our jobs. Nothing was done."""


class _NoNames(msgspec.Struct, forbid_unknown_fields=True):
    """RQ's place for named arguments. No job has any."""


class Asked(NamedTuple):
    """A job that somebody asks for."""

    task: Task
    argument: str


_decode = msgspec.json.Decoder(tuple[Task, None, tuple[Annotated[str, Meta(max_length=128)]], _NoNames]).decode
"""How RQ stores a call: the function's name, an instance, arguments, named arguments."""


def _call_id(given: str) -> None:
    if not re.fullmatch(CALL_ID, given):
        raise ValueError("not a call's id")


def _day(given: str) -> None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
        raise ValueError("not a day")


def _monday(given: str) -> None:
    _day(given)
    if date.fromisoformat(given).weekday() != 0:
        raise ValueError("not a Monday")


_CHECKS: dict[Task, Callable[[str], object]] = {
    "summarise": _call_id,
    "archive": _call_id,
    "assemble": _call_id,
    "forget-words": _day,
    "forget-sound": _day,
    "keep-trail": _day,
    "weekly-report": _monday,
    "learn": _day,
    "redrive": read_entry_name,
}


def read(data: bytes) -> Asked:
    """The job that `data` (JSON) names. Raises JobRefused for every other."""
    try:
        task, _, (argument,), _ = _decode(data)
        _CHECKS[task](argument)
    except ValueError:  # msgspec's errors are of this kind; the log must not repeat the data
        raise JobRefused("no such job, or a wrong argument") from None
    return Asked(task, argument)
