"""The models that the fleet's decoders run, and the results of their self-checks, on the plain server."""

from __future__ import annotations

from typing import cast

import redis

from state import keys


def introduce_model(plain: redis.Redis, identity: str, display_name: str, digest: str) -> str:
    """Tell the fleet which model this decoder runs, and the result of its self-check.

    Returns the fleet's digest for this identity: the first one told. If it differs from `digest`, this decoder would
    change transcripts and must not take work.
    """
    field = f"selfcheck:{identity}"
    agreed, shown = cast(list[bytes | None], plain.hmget(keys.FLEET, field, "model"))
    if agreed is None:
        plain.hsetnx(keys.FLEET, field, digest)
        agreed = cast(bytes, plain.hget(keys.FLEET, field))
    # It writes nothing that is there already: a decoder must start while memory is full, too.
    if agreed == digest.encode() and shown != display_name.encode():
        plain.hset(keys.FLEET, "model", display_name)
    return agreed.decode()
