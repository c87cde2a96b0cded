"""The audit trail: who did what, when and from where. Never a secret, never what was said on a call.

It has four parts, so that entries of one cannot push out entries of another:

    security   sign-ins, sign-outs, changes of keys and accounts: the newest KEPT
    acts       what supervisors do to calls and rules: the newest KEPT
    reads      who read, heard, exported or searched calls: repeats of a day are one entry with a count
    attempts   sign-ins that failed: likewise

Where there is a database, it has the trail for years: see state/trail.py.

Everybody has a share of a day's entries of reads and attempts. One more entry counts the rest. They stay for
FOLDED_DAYS, whatever others do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec
import redis

from state import keys
from state.server.entries import name_entry, read_entry_id, read_entry_name
from state.server.scripts import Scripts
from state.server.shards import Shards, shards_of

KEPT = 100_000
"""Entries kept of security and of acts, the newest: 20 to 30 MB each, months of a call centre."""

FOLDED_DAYS = 30
"""Days that reads and attempts stay. The database keeps them, and all else, for AUDIT_YEARS."""

FOLDED_A_DAY = 10_000
"""At most so many entries of one doer and day: more calls than anybody can open. One more entry counts the rest of a
program's reads. 300 bytes each."""

Part = Literal["security", "acts", "reads", "attempts"]
PARTS: tuple[Part, ...] = get_args(Part)

Streamed = Literal["security", "acts"]
Folded = Literal["reads", "attempts"]

Origin = Literal["account", "oidc", "key", "command", "anyone", "stranger"]
"""Where `who` comes from: an account of scripts/users; a person of the OpenID Connect provider; an API key; somebody at
the server's terminal; a name given on a page with AUTH=off. stranger: unknown, `who` is what was typed in."""


class Deed(msgspec.Struct, frozen=True):
    """One entry. what: a word such as sign-in. about: the account, key or call concerned. address: the doer's ("" for
    commands on the server)."""

    who: str
    what: str
    about: str = ""
    address: str = ""
    origin: Origin = "account"


class Entry(msgspec.Struct, frozen=True):
    """A deed in the trail. id: has the form of a stream entry's id. at_ms: when, for repeats the last time. first_ms:
    the first time. count: how often."""

    id: str
    at_ms: int
    deed: Deed
    first_ms: int
    count: int = 1


Place = tuple[int, int, int]
"""An entry's place in its part: the moment in ms, a number within it, and the server it came from. Later places are
greater."""

DAY_MICROS = 86_400_000_000

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Deed).decode

_STREAMS: dict[str, str] = {"security": keys.AUDIT, "acts": keys.AUDIT_ACTS}


class Audit:
    """The trail. Raises redis.RedisError as the client does: what the trail cannot record, nobody may do.

    Acts on calls are in the calls' shards; the steps that do them write them (lua/handle.lua). All else is on the plain
    server.
    """

    def __init__(self, store: Shards | redis.Redis) -> None:
        self._shards = shards_of(store)
        self._redis = self._shards.plain
        self._scripts = Scripts(self._redis, keys.STORE)

    def record(self, deed: Deed, part: Streamed = "security") -> None:
        """Record a single deed. handling.py records acts on calls, together with the change."""
        self._redis.xadd(_STREAMS[part], {"j": encode(deed)}, maxlen=KEPT, approximate=True)

    def record_read(self, deed: Deed) -> None:
        """Record that somebody reads words or hears sound of calls."""
        self._fold("reads", deed, f"{deed.origin} {deed.who}", deed.about)

    def record_attempt(self, deed: Deed, account: str = "") -> None:
        """Record a failed sign-in. account: the account tried, if it exists. Attempts at random names must not push out
        the attempts at it."""
        doer = f"account {account}" if account else deed.origin
        self._fold("attempts", deed, doer, f"{deed.who} {deed.address}")

    def _fold(self, part: Folded, deed: Deed, doer: str, same: str) -> None:
        rest = msgspec.structs.replace(deed, **{"about" if part == "reads" else "who": "(others)"})
        self._scripts.run(
            "fold",
            part=part,
            doer=doer,
            what=deed.what,
            same=same,
            deed=encode(deed),
            rest=encode(rest),
            share=FOLDED_A_DAY,
            kept_seconds=FOLDED_DAYS * 24 * 3600,
        )

    def read(self, part: Part, count: int, before: str | None = None) -> list[Entry]:
        """One part, newest first. before: id of the last entry on the page before. Raises ValueError if `before` is not
        an id."""
        if part == "acts":
            return self._acts(count, before)
        if before is not None:
            read_entry_id(before)
        if part == "security":
            entries: Any = self._redis.xrevrange(keys.AUDIT, max=f"({before}" if before else "+", count=count)
            return [_streamed(entry_id, 0, fields) for entry_id, fields in entries]
        last = f"({_micros(before)}" if before else "+inf"
        found: Any = self._redis.zrange(
            keys.audit_entries(part), last, "-inf", desc=True, byscore=True, offset=0, num=count, withscores=True
        )
        return [entry for entry in self._told(part, found) if entry]

    def _told(self, part: Part, found: list[tuple[bytes, float]]) -> list[Entry | None]:
        """What is kept of folded entries; None for one that has just gone."""
        if not found:
            return []
        fields = [field for entry, _ in found for field in (entry, entry + b"#", entry + b"@")]
        told: Any = iter(self._redis.hmget(keys.audit_told(part), fields))
        return [
            _folded(int(micros), deed, int(times), int(first)) if deed else None
            for (_, micros), deed, times, first in zip(found, told, told, told, strict=True)
        ]

    def _acts(self, count: int, before: str | None) -> list[Entry]:
        """Merged from all servers. A server that is away is an error, because a trail with a hole looks whole."""
        last, place = read_entry_name(before) if before is not None else ("+", 0)
        found: list[Entry] = []
        for number, (client, key) in enumerate(self._places("acts")):
            top = last if last == "+" or number < place else f"({last}"
            entries: Any = client.xrevrange(key, max=top, count=count)
            found += [_streamed(entry_id, number, fields) for entry_id, fields in entries]
        return sorted(found, key=_place, reverse=True)[:count]

    def _places(self, part: Part) -> list[tuple[redis.Redis, str]]:
        """The servers that have a stream of this part, by number, and the stream's key."""
        plain = (self._redis, _STREAMS[part])
        if part != "acts":
            return [plain]
        return [plain, *(there for shard in self._shards if (there := (shard.redis, shard.keys.acts)) != plain)]

    def places(self, part: Part) -> int:
        """How many servers have entries of this part."""
        return len(self._places(part)) if part in _STREAMS else 1

    def settled(self, part: Part, place: int, after: Place | None, count: int) -> list[tuple[str, Entry]]:
        """Up to `count` entries of a part on one server that will not change any more, the oldest first, each with a
        name that no other entry of its part ever has.

        after: the place of the last one that the caller knows. That one may come again.
        """
        if part in _STREAMS:
            client, key = self._places(part)[place]
            entries: Any = client.xrange(key, min=f"({after[0]}-{after[1]}" if after else "-", count=count)
            found = [_streamed(entry_id, place, fields) for entry_id, fields in entries]
            return [(entry.id, entry) for entry in found]
        seconds, _ = self._redis.time()
        today = f"({seconds * 1_000_000 // DAY_MICROS * DAY_MICROS}"  # repeats of today may follow
        since: Any = after[0] * 1000 + after[1] if after else "-inf"
        key = keys.audit_entries(part)
        names: Any = self._redis.zrange(key, since, today, byscore=True, offset=0, num=count, withscores=True)
        told = self._told(part, names)
        return [(name.decode(), entry) for (name, _), entry in zip(names, told, strict=True) if entry]

    def newest(self, count: int, parts: Sequence[Part] = PARTS) -> list[Entry]:
        """Several parts together, newest first."""
        found = [entry for part in parts for entry in self.read(part, count)]
        return sorted(found, key=_place, reverse=True)[:count]


def _streamed(entry_id: bytes, place: int, fields: dict[bytes, bytes]) -> Entry:
    name = name_entry(entry_id, place)
    at_ms, _, _ = place_of(name)
    return Entry(name, at_ms, _decode(fields[b"j"]), at_ms)


def _place(entry: Entry) -> Place:
    return place_of(entry.id)


def place_of(name: str) -> Place:
    """The place of the entry of this id. Raises ValueError."""
    entry_id, place = read_entry_name(name)
    return *read_entry_id(entry_id), place


def _folded(micros: int, deed: bytes, count: int, first_micros: int) -> Entry:
    ms, rest = divmod(micros, 1000)
    return Entry(f"{ms}-{rest}", ms, _decode(deed), first_micros // 1000, count)


def _micros(entry_id: str) -> int:
    ms, rest = read_entry_id(entry_id)
    return ms * 1000 + rest
