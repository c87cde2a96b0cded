"""The audit trail: who did what, when and from where. Never a secret, never what was said on a call."""

from __future__ import annotations

from typing import Any

import msgspec
import redis

from state import keys

KEPT = 100_000
"""Newest entries that are kept: 20 to 30 MB, months of a call centre. Copy them elsewhere to keep them for longer."""


class Deed(msgspec.Struct, frozen=True):
    """One entry. what: a word such as sign-in; about: the account, key or call it was done to; address: of the one
    who did it ("" for commands on the server)."""

    who: str
    what: str
    about: str = ""
    address: str = ""


encode = msgspec.json.Encoder().encode


class Audit:
    """The trail. Raises redis.RedisError as the client does: what cannot be written down must not be done."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def record(self, who: str, what: str, about: str = "", address: str = "") -> None:
        encoded = encode(Deed(who, what, about, address))
        self._redis.xadd(keys.AUDIT, {"j": encoded}, maxlen=KEPT, approximate=True)

    def read(self, count: int, before: str | None = None) -> list[tuple[str, int, Deed]]:
        """Newest first: (entry id, when in ms, deed); `before` is the id of the last one of the page before."""
        entries: Any = self._redis.xrevrange(keys.AUDIT, max=f"({before}" if before else "+", count=count)
        return [
            (entry_id.decode(), int(entry_id.split(b"-")[0]), msgspec.json.decode(fields[b"j"], type=Deed))
            for entry_id, fields in entries
        ]
