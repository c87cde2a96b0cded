"""The store's layout: its protocol, and how many shards it has. The first process writes it down. All others check it,
and one that speaks another protocol touches nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec
import redis

from state import keys
from state.server.connection import ServerUnfit

PROTOCOL = 1
"""Number of the protocol: what the keys hold, and what the scripts take and answer. Raise it with every change that an
older process would not understand, or that would misunderstand an older process."""

SHARDS_A_MASTER = 4
"""Of a cluster, at the first start: so that four times as many masters can share the work later."""


class Layout(msgspec.Struct, frozen=True):
    """See PROTOCOL and shards.py."""

    protocol: int
    shards: int


_decode = msgspec.json.Decoder(Layout).decode


def agree(client: redis.Redis, shards: int) -> Layout:
    """The store's layout; `shards` and our own protocol, if it has none yet.

    Raises:
        ServerUnfit: the store holds another protocol.
        redis.RedisError: as the client does.
    """
    kept: Any = client.get(keys.LAYOUT)
    if kept is None:
        client.set(keys.LAYOUT, msgspec.json.encode(Layout(PROTOCOL, shards)), nx=True)
        kept = client.get(keys.LAYOUT)
    return check(kept)


def check(kept: bytes) -> Layout:
    """The store's layout. Raises ServerUnfit if it is of another protocol."""
    try:
        layout = _decode(kept)
    except msgspec.DecodeError:
        raise ServerUnfit(f"the store's layout ({keys.LAYOUT}) cannot be read: a newer Earshot made it") from None
    if layout.protocol != PROTOCOL:
        raise ServerUnfit(
            f"the store holds calls in protocol {layout.protocol} and this process speaks {PROTOCOL}: start the "
            f"version that began it, or, when its calls have ended, an empty store"
        )
    return layout
