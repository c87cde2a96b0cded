"""Entries of streams: their ids, an entry's name outside its shard, and replies that hold entries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from state.server.slots import SLOTS

_ENTRY_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")


def read_entry_id(text: str) -> tuple[int, int]:
    """The two numbers of a stream entry's id. Raises ValueError if the server would not take it for one."""
    found = _ENTRY_ID.fullmatch(text)
    if found is None or max(numbers := (int(found[1]), int(found[2]))) >= 2**64:
        raise ValueError(f"not an entry's id: {text!r}")
    return numbers


def name_entry(entry_id: bytes, shard: int) -> str:
    """A stream entry's name outside its shard: its id, and after a dot the shard's number, if it is not 0."""
    return entry_id.decode() + (f".{shard}" if shard else "")


def read_entry_name(name: str) -> tuple[str, int]:
    """The entry's id and the shard's number. Raises ValueError."""
    text, dot, number = name.partition(".")
    read_entry_id(text)
    if dot and not (number.isdecimal() and 0 < int(number) < SLOTS and number == str(int(number))):
        raise ValueError(f"not an entry's name: {name!r}")
    return text, int(number or 0)


def read_entries(reply: Sequence[Any]) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The entries in a raw reply of the server. One that was deleted while it was pending has no fields."""
    return [
        (entry_id, dict(zip(fields[::2], fields[1::2], strict=True)) if fields else {}) for entry_id, fields in reply
    ]
