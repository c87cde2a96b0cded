"""A call whose parties say what a test gives them. It is committed and scored as the workers do it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import redis

from state import keys
from state.calls.finals import Finals
from state.calls.fleet import FleetMember
from state.calls.ingest import Chunk, Ingest
from state.calls.scores import Scores
from state.server.shards import shards_of
from state.settings import Settings
from state.types import INSIDE, Sender, Utterance, Word
from workers.decoder.track import decode
from workers.engines.base import Final, Snapshot
from workers.sentiment.assessor import Assessor

CHUNK = Chunk(bytes(8000), "mulaw", 8000)


class Line:
    """A call whose tracks say what a test gives them. Each utterance has a second of audio."""

    def __init__(
        self,
        store: redis.Redis,
        assessor: Assessor,
        tracks: list[str],
        call_id: str = "c",
        sender: Sender = INSIDE,
        settings: Settings | None = None,
        **metadata: str,
    ) -> None:
        self.redis, self.assessor, self.call_id, self.sender = store, assessor, call_id, sender
        self.settings = settings or Settings()
        self.ingest = Ingest(store, self.settings)
        self.fleet = FleetMember(shards_of(store)[0], "d", self.settings)
        self.fleet.join()
        self.finals = Finals(shards_of(store)[0], "s")
        self.scores = Scores(shards_of(store)[0], self.settings)
        self.ingest.create(call_id, tracks, metadata, sender)

    def say(self, track: str, start: float, text: str, end: bool = False, chunk: Chunk = CHUNK) -> None:
        """One utterance of `track`, as a decoder commits it."""
        self.ingest.put(self.call_id, track, None, chunk, sender=self.sender)
        if end:
            self.ingest.end(self.call_id)
        self.decode(track, start, text)

    def decode(self, track: str, start: float, text: str) -> None:
        """A decoder makes this utterance of the waiting chunks of `track`, and nothing of the other tracks' chunks."""
        token = self.fleet.next_token(0)
        assert token is not None
        while token.track != track:
            self.commit(token, [])
            token = self.fleet.next_token(0)
            assert token is not None
        self.commit(token, [(start, text)])

    def commit(self, token: Any, said: list[tuple[float, str]]) -> None:
        lease = self.fleet.open(token, "", 0)
        assert lease is not None
        change, _ = decode(Scripted(said), lease, None)
        assert self.fleet.commit(lease, change) in ("OK", "ENDED")

    def end(self) -> None:
        """The sender ends the call, and everything is decoded and scored."""
        self.ingest.end(self.call_id)
        while (token := self.fleet.next_token(0)) is not None:
            self.commit(token, [])
        self.score()

    def score(self) -> None:
        """Score everything that waits."""
        for entry in self.finals.join() + self.finals.next(0, 100):
            self.scores.store(entry, self.assessor)

    def stored(self) -> list[str]:
        packed = self.redis.hgetall(keys.utterances(self.call_id))
        return [msgspec.msgpack.decode(value, type=Utterance).text for _, value in sorted(packed.items())]


class Scripted:
    """A model that recognises given utterances, all with the lease's first chunk."""

    identity = display_name = "scripted"
    fork_safe = True
    partials_cost = False

    def __init__(self, said: list[tuple[float, str]]) -> None:
        self.said = said

    def warm_up(self, rate: int) -> Iterator[None]:
        return iter(())

    def recogniser(self, rate: int, snapshot: Snapshot | None, open_from: int = 0) -> Any:
        self.end = open_from
        return self

    def accept(self, pcm: bytes, at: int) -> list[Final]:
        self.end = at + len(pcm) // 2
        finals = [
            Final(start, start + 0.9, text, [Word(word, start, start + 0.1, None) for word in text.split()])
            for start, text in self.said
        ]
        self.said = []
        return finals

    def flush(self) -> list[Final]:
        return []

    def snapshot(self, want_partial: bool) -> Snapshot:
        return Snapshot(self.identity, self.end, "", self.end)

    memory_bytes = 0
    wordless_seconds = 0.0
