"""Which models the fleet's decoders run, and what their self-checks gave. Stands on the plain server."""

from __future__ import annotations

from typing import cast

import redis

from state import keys


def introduce_model(plain: redis.Redis, identity: str, display_name: str, digest: str) -> str:
    """Tell the fleet which model this decoder runs, and what its self-check gave.

    Returns the digest the fleet agreed on for this identity: the first one told. Another one than `digest`
    means that this decoder would change transcripts and must not take work.
    """
    field = f"selfcheck:{identity}"
    agreed, shown = cast(list[bytes | None], plain.hmget(keys.FLEET, field, "model"))
    if agreed is None:
        plain.hsetnx(keys.FLEET, field, digest)
        agreed = cast(bytes, plain.hget(keys.FLEET, field))
    # Nothing is written that stands there already: a decoder must be able to start while memory is full.
    if agreed == digest.encode() and shown != display_name.encode():
        plain.hset(keys.FLEET, "model", display_name)
    return agreed.decode()
