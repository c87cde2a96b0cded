"""Ids of stream entries, and an entry's name outside its shard."""

from __future__ import annotations

import re

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
