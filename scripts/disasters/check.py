"""What must be true after the chaos, and a page that stays open all the time."""

from __future__ import annotations

import threading
import time
from typing import Any, Literal

import msgspec
import redis
from msgspec import structs

from state.calls.feed import FeedLost
from state.calls.reads import Reads
from state.events import CallEvent, Event, FinalEvent, PartialEvent, ScoreEvent
from state.server.shards import Shards, shards_of
from state.types import CallRow, Utterance

_event = msgspec.json.Decoder(Event)
_utterance = msgspec.msgpack.Decoder(Utterance)

Row = dict[str, Any]


class Follower:
    """A page in small: a snapshot, then every event after its cursor, a new snapshot when the feed says so."""

    def __init__(self, store: Shards | redis.Redis) -> None:
        self._reads = Reads(store)
        self._stopping = threading.Event()
        self.rows: dict[str, Row] = {}
        self.cursor = ""
        self.snapshots = self.events = self.failures = 0
        self._thread = threading.Thread(target=self._run, name="follower")
        self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if not self.cursor:
                    found, self.cursor = self._reads.snapshot()
                    self.rows = {row.call_id: shown(row) for row in found}
                    self.snapshots += 1
                for entry_id, told in self._reads.feed(self.cursor, 500, 200):
                    self._apply(_event.decode(told))
                    self.events += 1
                    self.cursor = entry_id
            except FeedLost:
                self.cursor = ""
            except redis.RedisError:
                self.failures += 1
                time.sleep(0.1)

    def _apply(self, event: Event) -> None:
        row = self.rows.setdefault(event.call_id, {"tracks": {}, "last": None, "score": None, "standing": None})
        if isinstance(event, CallEvent):
            row |= {"state": event.state, "metadata": event.metadata, "end_reason": event.end_reason}
            row["whole"] = row.get("whole") or event.state == "live"
        elif isinstance(event, PartialEvent):
            row["tracks"][event.track] = (event.partial, event.decoded_seq)
        elif isinstance(event, FinalEvent):
            said = event.utterance
            place = (said.end, said.track)
            if said.text and (row["last"] is None or place >= row["last"][0]):
                row["last"], row["score"] = (place, said.id, said.text), None
        elif isinstance(event, ScoreEvent):
            row["standing"] = event.standing
            if row["last"] and row["last"][1] == event.utterance_id:
                row["score"] = event.sentiment


def shown(row: CallRow) -> Row:
    """What the table shows of a call."""
    last = row.last
    return {
        "whole": True,
        "state": row.state,
        "metadata": row.metadata,
        "end_reason": row.end_reason,
        "tracks": {name: (track.partial, track.decoded_seq) for name, track in row.tracks.items()},
        "last": ((last.end, last.track), last.id, last.text) if last else None,
        "score": last.sentiment if last else None,
        "standing": structs.replace(row.standing, gist=[]),  # pages ask for it when somebody opens the call
    }


class Checks:
    """Compares what is stored with what was sent. `wrong` collects one sentence for each difference."""

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
        """One call: its transcript is the calm one's byte for byte, and each utterance has its one score."""
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
        """There are no other calls."""
        found = set()
        for shard in self._shards:
            start = shard.keys.call("")
            found |= {key.decode().removeprefix(start) for key in shard.redis.scan_iter(start + "*", count=1000)}
        if found != call_ids:
            self.wrong.append(f"calls that should not be: {found - call_ids}, that should: {call_ids - found}")

    def page(self, follower: Follower) -> int:
        """The page shows what a new snapshot would show; returns how many rows were compared."""
        deadline = time.monotonic() + 30
        while follower.cursor != self._reads.tip() and time.monotonic() < deadline:
            time.sleep(0.1)
        follower.stop()
        truth = {row.call_id: shown(row) for state in ("live", "ended") for row in self._all(state)}
        compared = 0
        for call_id, row in follower.rows.items():
            if call_id not in truth:
                self.wrong.append(f"the page shows {call_id}, which does not exist")
            elif row.get("whole"):
                compared += 1
                differ = [name for name, value in truth[call_id].items() if (row[name] or None) != (value or None)]
                differ = [n for n in differ if n != "standing" or row[n] is not None or truth[call_id][n].curve]
                if differ:
                    self.wrong.append(
                        f"the page differs in {call_id}: {[(n, row[n], truth[call_id][n]) for n in differ]}"
                    )
        return compared

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
