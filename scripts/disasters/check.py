"""Checks what must be true after the chaos. A page stays open all the time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import redis

from state.calls.reads import Reads
from state.server.shards import Shards, shards_of
from state.types import Utterance
from state.views import CallRow
from tests.harness.page import Page, reaches
from webapp.schemas import shapes
from webapp.schemas.calls import ApiStanding

_utterance = msgspec.msgpack.Decoder(Utterance)

Row = dict[str, Any]


class ShownPage(Page):
    """A page that stays open and keeps its rows up to date, as the browser's does (shared/live/store.js).

    It keeps only what can be compared in the end: the state, the text, the score and what a supervisor must know.
    """

    def __init__(self, url: str) -> None:
        self.shown: dict[str, Row] = {}
        super().__init__(url)

    def begin(self, rows: list[Row]) -> None:
        """Take the table as it is."""
        self.shown = {row["call_id"]: row | {"whole": True} for row in rows}

    def hear(self, events: Sequence[Row]) -> None:
        """Let each event change its row."""
        for event in events:
            _apply(self.shown.setdefault(event["call_id"], {"tracks": {}, "last": None, "whole": False}), event)


def _apply(row: Row, event: Row) -> None:
    if event["kind"] == "call":
        row |= {name: event[name] for name in ("state", "metadata", "end_reason")}
        row["whole"] |= event["state"] == "live"
    elif event["kind"] == "partial":
        row["tracks"][event["track"]] = {name: event[name] for name in TRACK_FIELDS}
    elif event["kind"] == "final":
        said, last = event["utterance"], row["last"]
        if said["text"] and (last is None or (said["end"], said["track"]) >= (last["end"], last["track"])):
            row["last"] = said
    elif event["kind"] == "score":
        row |= event["standing"]
        if row["last"] and row["last"]["id"] == event["utterance_id"]:
            row["last"] = row["last"] | {"sentiment": event["sentiment"]}


def told(row: CallRow) -> Row:
    """A stored row as the socket tells it."""
    return dict(msgspec.json.decode(msgspec.json.encode(shapes.row(row))))


TRACK_FIELDS, LAST_FIELDS = ("partial", "decoded_seq"), ("id", "track", "end", "text", "sentiment")
STANDING_FIELDS = ApiStanding.__struct_fields__


def compared(row: Row) -> Row:
    """The part of a row that must be equal, however a page came by it."""
    last = row["last"]
    return {
        **{name: row[name] for name in ("state", "metadata", "end_reason")},
        "tracks": {name: [track[field] for field in TRACK_FIELDS] for name, track in row["tracks"].items()},
        "last": [last[field] for field in LAST_FIELDS] if last else None,
        # A call without a scored utterance has no standing, because no event told of one.
        **({name: row.get(name) for name in STANDING_FIELDS} if row.get("curve") else {}),
    }


class Checks:
    """Compares the store with what senders sent. `wrong` collects one sentence for each difference."""

    def __init__(self, store: Shards | redis.Redis) -> None:
        self._shards = shards_of(store)
        self._reads = Reads(self._shards)
        self.wrong: list[str] = []
        self.utterances = self.marks = 0

    def wait_ended(self, call_ids: list[str], stalled_seconds: float) -> None:
        """Wait until all these calls have ended. Give up when nothing moves."""
        waiting, seen, since = set(call_ids), "", time.monotonic()
        while waiting:
            waiting = {call_id for call_id in waiting if self._field(call_id, "state") != b"ended"}
            load = [shard.redis.hgetall(shard.keys.load) for shard in self._shards]
            now = f"{len(waiting)} {load} {self._reads.tip()}"
            if now != seen:
                seen, since = now, time.monotonic()
            if time.monotonic() - since > stalled_seconds:
                self.wrong += [self._why(call_id) for call_id in sorted(waiting)]
                return
            time.sleep(0.2)

    def wait_summarised(self, stalled_seconds: float) -> None:
        """Wait until every ended call has its summary. Give up when their number no longer falls."""
        fewest, since = -1, time.monotonic()
        while outstanding := self.unsummarised():
            if fewest < 0 or outstanding < fewest:
                fewest, since = outstanding, time.monotonic()
            if time.monotonic() - since > stalled_seconds:
                self.wrong.append(f"{outstanding} calls have no summary, and none came in {stalled_seconds:.0f} s")
                return
            time.sleep(0.5)

    def unsummarised(self) -> int:
        """Ended calls without a summary."""
        return sum(shard.redis.scard(shard.keys.unsummarised) for shard in self._shards)

    def _why(self, call_id: str) -> str:
        shard = self._shards.of(call_id)
        call = shard.redis.hmget(shard.keys.call(call_id), "state", "open_tracks", "unscored")
        names = ("last_seq", "done_seq", "token", "lease", "tries", "closed", "finished")
        found = shard.redis.scan_iter(shard.keys.track(call_id, "*"))
        tracks = {key.decode(): shard.redis.hmget(key, *names) for key in found}
        return f"{call_id} has not ended: {call} {tracks}"

    def transcript(self, call_id: str) -> dict[bytes, bytes]:
        """The stored utterances, byte for byte."""
        shard = self._shards.of(call_id)
        return dict(sorted(shard.redis.hgetall(shard.keys.utterances(call_id)).items()))

    def _field(self, call_id: str, name: str) -> bytes | None:
        shard = self._shards.of(call_id)
        return shard.redis.hget(shard.keys.call(call_id), name)

    def call(self, call_id: str, calm: dict[bytes, bytes], metadata: dict[str, str]) -> None:
        """Check one call: its transcript equals the calm one byte for byte, and each utterance has its one score."""
        found = self.transcript(call_id)
        self.utterances += len(found)
        if found != calm:
            self.wrong.append(f"{call_id}: {_difference(found, calm)}")
        spoken = {name for name, packed in found.items() if _utterance.decode(packed).mark is None}
        self.marks += len(found) - len(spoken)
        shard = self._shards.of(call_id)
        if set(shard.redis.hkeys(shard.keys.scores(call_id))) != spoken:
            self.wrong.append(f"{call_id}: not every utterance is scored, or others are")
        view = self._reads.call(call_id)
        if view is None or view.metadata != metadata:
            self.wrong.append(f"{call_id}: its metadata is {view.metadata if view else None}")

    def only(self, call_ids: set[str]) -> None:
        """Check that there are no other calls."""
        found = set()
        for shard in self._shards:
            start = shard.keys.call("")
            found |= {key.decode().removeprefix(start) for key in shard.redis.scan_iter(start + "*", count=1000)}
        if found != call_ids:
            self.wrong.append(f"calls that should not be: {found - call_ids}, that should: {call_ids - found}")

    def page(self, page: ShownPage) -> int:
        """Check that the page shows what a new snapshot would show. Returns the number of rows compared."""
        deadline = time.monotonic() + 30
        while not (page.cursor and reaches(page.cursor, self._reads.tip())) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.wrong += [f"the page was told {fault}" for fault in page.close()]
        truth = {stored.call_id: stored for state in ("live", "ended") for stored in self._all(state)}
        known = {call_id: row for call_id, row in page.shown.items() if row["whole"]}
        for call_id, row in known.items():
            if call_id not in truth:
                self.wrong.append(f"the page shows {call_id}, which does not exist")
                continue
            ours, theirs = compared(row), compared(told(truth[call_id]))
            names = sorted(ours.keys() | theirs.keys())
            if differ := [(n, ours.get(n), theirs.get(n)) for n in names if ours.get(n) != theirs.get(n)]:
                self.wrong.append(f"the page differs in {call_id}: {differ}")
        return len(known)

    def _all(self, state: Literal["live", "ended"]) -> list[CallRow]:
        found: list[CallRow] = []
        cursor = None
        while True:
            rows, cursor = self._reads.rows(state, 500, cursor)
            found += rows
            if cursor is None:
                return found


def _difference(found: dict[bytes, bytes], calm: dict[bytes, bytes]) -> str:
    lines = [f"{len(found)} utterances instead of {len(calm)}"] if len(found) != len(calm) else []
    for name in sorted(found.keys() | calm.keys()):
        if found.get(name) != calm.get(name):
            shown = [_utterance.decode(packed) if packed else None for packed in (found.get(name), calm.get(name))]
            lines.append(f"{name.decode()} is {shown[0]}, calmly {shown[1]}")
    return "; ".join(lines[:3])
