"""The slots of a cluster, and hash tags that spread over them."""

from __future__ import annotations

import binascii

SLOTS = 16384
"""Of a cluster."""


def slot(tag: str) -> int:
    """The slot of all keys with this hash tag, as a cluster computes it (CRC-16/XMODEM)."""
    return binascii.crc_hqx(tag.encode(), 0) % SLOTS


def tags(count: int) -> list[str]:
    """The hash tags of so many shards. All slots are divided into equal parts, and each part gets one tag: the first of
    earshot, earshot1, earshot2, ... that falls into it. (Simple names would fall anywhere: of s0 to s7, half fall to
    one of three nodes.)
    """
    found: dict[int, str] = {}
    tried = 0
    while len(found) < count:
        tag = f"earshot{tried or ''}"
        found.setdefault(slot(tag) * count // SLOTS, tag)
        tried += 1
    return [found[part] for part in range(count)]
