"""The feed: what pages follow, one stream of events a shard.

A cursor names the last event that a page got. After a break the page goes on from there. The cursors of all shards are
one text, with commas between.
"""

from __future__ import annotations

import json
import re
import time
from hashlib import blake2b
from typing import Any, NamedTuple, cast

import redis

from state.server.entries import read_entry_id
from state.server.shards import Shard, Shards

START = "0-0+0"
"""The cursor of a feed without any event so far."""

AWAY = "away"
"""In the place of the cursor of a shard that was away. Nobody knows what it has told, so nobody can go on from it."""

_CURSOR = re.compile(r"([0-9-]{3,41})(?:\.([0-9a-f]{16})|\+([0-9]{1,20}))")
"""<entry id>.<digest of the event>, or of an empty feed <last id>+<events cut off>."""

_BETWEEN = ","


class FeedLost(LookupError):
    """The feed does not hold the cursor's entry (any more): take a new snapshot."""


class Told(NamedTuple):
    """An event: the shard that tells it, the cursor that names it in that shard, its JSON, and what a trace goes on
    from."""

    shard: int
    cursor: str
    event: bytes
    way: str = ""


class Tail(NamedTuple):
    """The end of one shard's feed: all that was told after the cursor `since`, oldest first."""

    since: str
    told: list[Told]


def joined(cursors: list[str]) -> str:
    """The cursors of all shards as one."""
    return _BETWEEN.join(cursors)


def parted(cursor: str, shards: int) -> list[str]:
    """The cursor of each shard. Raises FeedLost if their number is not that of the shards."""
    parts = cursor.split(_BETWEEN)
    if len(parts) != shards:
        raise FeedLost(cursor)
    return parts


def at_ms(cursor: str) -> int:
    """When the event of one shard's cursor came into the feed: milliseconds since 1970 at the store."""
    return int(cursor.partition("-")[0])


class Feeds:
    """The feeds of all shards. A shard that is away tells nothing and does not hold up the others."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    def tips(self) -> list[str]:
        """The cursor of each shard's last event, or AWAY. Raises redis.RedisError if no shard answers."""
        found = self._shards.answers(_tip)
        return [found.get(shard.number, AWAY) for shard in self._shards]

    def tails(self, most: int) -> list[Tail]:
        """The end of each shard's feed, at most `most` events in all. Raises redis.RedisError if no shard answers."""
        found = self._shards.answers(lambda shard: _tail(shard, most // len(self._shards)))
        return [found.get(shard.number, Tail(AWAY, [])) for shard in self._shards]

    def after(self, cursors: list[str], count: int, block_ms: int = 0) -> list[Told]:
        """What was told after the cursors, oldest first, at most `count` of each shard; waits up to block_ms for the
        first.

        Raises FeedLost if events after a cursor may have been dropped, or it is no cursor of this shard;
        redis.RedisError if no shard answers.
        """
        alone = len(self._shards) == 1
        deadline = time.monotonic() + block_ms / 1000
        while True:
            found = self._shards.answers(
                lambda shard: _after(shard, cursors[shard.number], count, block_ms if alone else 0)
            )
            told = [one for entries in found.values() for one in entries]
            pause = min(_POLL_SECONDS, deadline - time.monotonic())
            if told or alone or pause <= 0:
                return told
            time.sleep(pause)


_POLL_SECONDS = 0.05
"""Seconds between two looks at several shards, because no command can wait for several."""


def _tip(shard: Shard) -> str:
    newest = cast(Any, shard.redis.xrevrange(shard.keys.feed, count=1))
    if newest:
        return _cursor(*newest[0])
    return _nothing(shard)


def _tail(shard: Shard, count: int) -> Tail:
    nothing = _nothing(shard)
    newest = cast(Any, shard.redis.xrevrange(shard.keys.feed, count=count + 1))
    told = [_told(shard, *entry) for entry in reversed(newest)]
    if not told:
        return Tail(nothing, [])
    if len(told) <= count and _is_whole(shard):
        return Tail(START, told)
    return Tail(told[0].cursor, told[1:])  # nobody knows what came before the first


def _event(fields: dict[bytes, bytes]) -> bytes:
    """The event's JSON; none in an entry that somebody else wrote, which must hold up nobody."""
    return fields.get(b"j", b"")


def _cursor(entry_id: bytes, fields: dict[bytes, bytes]) -> str:
    """Names an event for good. The id alone does not: after a roll-back the server may give it out once more."""
    return f"{entry_id.decode()}.{blake2b(_event(fields), digest_size=8).hexdigest()}"


def _after(shard: Shard, cursor: str, count: int, block_ms: int) -> list[Told]:
    if cursor == AWAY:
        _tip(shard)  # while it is away, there is nothing to tell; when it is back, all must be told again
    entry_id = _check(shard, cursor)
    answer = cast(Any, shard.redis.xread({shard.keys.feed: entry_id}, count=count, block=block_ms or None))
    if answer:
        _check(shard, cursor)  # while we waited, an older copy of the server may have taken its place
    return [_told(shard, *entry) for _, entries in answer or [] for entry in entries]


def _told(shard: Shard, entry_id: bytes, fields: dict[bytes, bytes]) -> Told:
    way = fields.get(b"w", b"").decode(errors="replace")
    return Told(shard.number, _cursor(entry_id, fields), _event(fields), way)


def _check(shard: Shard, cursor: str) -> str:
    """The entry id to read on from. Raises FeedLost.

    A stream grows at its end and is cut at its beginning: if the cursor's own event is there, so is everything after
    it. If not, it was cut off, or rolled back together with what a page has already shown; the server may have given
    its id to another event since.
    """
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise FeedLost(cursor)
    entry_id, digest, removed = found.groups()
    try:
        number = read_entry_id(entry_id)
    except ValueError:
        raise FeedLost(cursor) from None
    if digest is not None:
        entries = cast(Any, shard.redis.xrange(shard.keys.feed, entry_id, entry_id, count=1))
        if not entries or _cursor(*entries[0]) != cursor:
            raise FeedLost(cursor)
        return entry_id
    last, gone = _extent(shard)
    if read_entry_id(last) < number or gone != int(removed):
        raise FeedLost(cursor)
    return entry_id


def _nothing(shard: Shard) -> str:
    """The cursor of a feed that holds no event."""
    last, gone = _extent(shard)
    return f"{last}+{gone}"


def _extent(shard: Shard) -> tuple[str, int]:
    """The last id that the feed gave out, and how many events were cut off (0 from Redis 6, which cannot tell)."""
    try:
        info = shard.redis.xinfo_stream(shard.keys.feed)
    except redis.exceptions.ResponseError as error:
        if "no such key" not in str(error):
            raise
        return "0-0", 0
    return info["last-generated-id"].decode(), info.get("entries-added", info["length"]) - info["length"]


def _is_whole(shard: Shard) -> bool:
    """Whether no event was ever cut off. Redis 6 cannot tell."""
    info = cast(Any, shard.redis.xinfo_stream(shard.keys.feed))
    return bool(info.get("entries-added") == info["length"])


AT_ONCE = 2000
"""Events looked at with one request."""


def forget_words(shard: Shard, call_id: str) -> None:
    """Remove every event of a call from the feed. A page that stands at one of them takes a new snapshot."""
    named, start = f'"call_id":{json.dumps(call_id)}'.encode(), "-"
    while entries := cast(Any, shard.redis.xrange(shard.keys.feed, start, count=AT_ONCE)):
        gone = [entry for entry, fields in entries if named in fields[b"j"]]
        if gone:
            shard.redis.xdel(shard.keys.feed, *gone)
        start = f"({entries[-1][0].decode()}"
