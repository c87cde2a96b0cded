"""Both ends of the protocol over one client, without any decoding, for tests of the scripts.

`Play` has a sender, decoders by name and a scorer. The text of its finals is "a-b" for chunks a to b. So a transcript
shows at once whether a chunk was decoded twice or left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis

from state import keys
from state.calls.assessments import Assessment, Stretch, Unscored
from state.calls.finals import Finals
from state.calls.fleet import FleetMember
from state.calls.ingest import Chunk, Ingest
from state.calls.leases import Commit, DeadChunk, Lease, Token
from state.calls.scores import Scores
from state.events import FinalEvent, encode
from state.server.scripts import Scripts
from state.server.shards import shards_of
from state.settings import Settings
from state.types import Sentiment, Standing, Utterance

RATE = 8000
CHUNK_SAMPLES = 80

Dump = dict[bytes, tuple[bytes, bool]]
"""Each key with its serialised value, and whether it expires."""


def dump(client: redis.Redis) -> Dump:
    """Every key of the server, byte for byte."""
    names = sorted(client.scan_iter(count=1000))
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.dump(name).pttl(name)
    answers = pipe.execute() if names else []
    return {name: (answers[2 * n] or b"", answers[2 * n + 1] >= 0) for n, name in enumerate(names)}


def contents(client: redis.Redis) -> dict[bytes, object]:
    """Every key byte for byte. Hashes are sorted: to read a big hash may change its order."""
    found: dict[bytes, object] = dict(dump(client))
    for key in client.scan_iter(count=1000, _type="HASH"):
        found[key] = (sorted(client.hgetall(key).items()), client.pttl(key) >= 0)
    return found


def values(client: redis.Redis) -> dict[str, object]:
    """Every key with its value."""
    read: dict[bytes, Callable[[bytes], object]] = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": client.xrange,
        b"none": lambda _: None,  # it has just expired
    }
    return {key.decode(): read[client.type(key)](key) for key in list(client.scan_iter(count=1000))}


def readable(client: redis.Redis) -> dict[str, str]:
    """Every key with its value as text, for tests that look for words or sound in it."""
    return {key: repr(value) for key, value in values(client).items()}


def chunk(seq: int, samples: int = CHUNK_SAMPLES, mark: int = 0) -> Chunk:
    """A mu-law chunk whose bytes show its number. mark: makes another chunk of the same number."""
    return Chunk(bytes([(seq * 7 + mark) % 256]) * samples, "mulaw", RATE)


def utterance(track: str, index: int, first: int, last: int) -> Utterance:
    """The final that the decoded chunks first..last become."""
    return Utterance(f"{track}:{index}", track, index, first - 1.0, float(last), f"{first}-{last}", [])


class Play:
    """A sender, decoders and a scorer on one server."""

    def __init__(self, client: redis.Redis, **settings: int | float) -> None:
        self.client = client
        self.settings = Settings(**settings)  # type: ignore[arg-type]
        self.shard = shards_of(client)[0]
        self.ingest = Ingest(client, self.settings)
        self.finals = Finals(self.shard, "scorer")
        self.scores = Scores(self.shard, self.settings)
        self.decoders: dict[str, FleetMember] = {}

    def decoder(self, name: str) -> FleetMember:
        """The decoder of this name. It joins when a test first asks for it."""
        if name not in self.decoders:
            self.decoders[name] = FleetMember(self.shard, name, self.settings)
            self.decoders[name].join()
        return self.decoders[name]

    def put(self, seq: int, call: str = "c", track: str = "t", mark: int = 0, skip: bool = False) -> str:
        """Put chunk `seq`. Returns the outcome."""
        return self.ingest.put(call, track, seq, chunk(seq, mark=mark), skip).outcome

    def token(self, name: str = "d") -> Token:
        """The next token for decoder `name`. There must be one."""
        token = self.decoder(name).next_token(0)
        assert token is not None, "no token waits"
        return token

    def lease(self, name: str = "d") -> Lease:
        """The next token, opened."""
        lease = self.decoder(name).open(self.token(name), "", 0)
        assert lease is not None
        return lease

    def commit(self, lease: Lease, name: str = "d", upto: int | None = None, open_from: int | None = None) -> str:
        """Commit `lease` as decoded (see `change`). Returns the answer."""
        return self.decoder(name).commit(lease, change(lease, upto, open_from))

    def unscored(self) -> list[Unscored]:
        """The finals that wait for a score."""
        return self.finals.join() + self.finals.next(0, 100)

    def score(self, entry: Unscored) -> str:
        """Score one utterance."""
        return self.scores.store(entry, PlayScorer())

    def track(self, call: str = "c", track: str = "t") -> dict[str, bytes]:
        """The track's hash."""
        return {name.decode(): value for name, value in self.client.hgetall(keys.track(call, track)).items()}


def change(lease: Lease, upto: int | None = None, open_from: int | None = None, dead: tuple[int, ...] = ()) -> Commit:
    """Chunks up to `upto` (default: all) are decoded, and those before chunk `open_from` become one final.

    open_from: default upto + 1, so nothing stays open. A closed track finishes with its last chunk.
    """
    done = lease.last_seq if upto is None else upto
    open_seq = done + 1 if open_from is None else open_from
    new = [chunk for chunk in lease.journal if lease.done_seq < chunk.seq <= done]
    finish = lease.closed and done == lease.last_seq
    first, index = lease.open_seq, lease.final_count
    finals = [utterance(lease.token.track, index, first, open_seq - 1)] if open_seq > first else []
    return Commit(
        done_seq=done,
        open_seq=open_seq,
        final_count=index + len(finals),
        done_samples=new[-1].at + new[-1].samples if new else lease.done_samples,
        chunks=len(new),
        audio_ms=sum(chunk.samples * 1000 // lease.rate for chunk in new),
        audio_bytes=sum(len(chunk.audio) for chunk in new),
        state=f"{open_seq}-{done}".encode(),
        partial=f"{open_seq}-{done}" if open_seq <= done else "",
        wordless=False,
        finals=finals,
        events=[encode(FinalEvent(lease.token.call_id, u)) for u in finals],
        dead=[DeadChunk(c.seq, "test", c.encoding, c.audio) for c in new if c.seq in dead],
        finish=finish,
    )


class PlayScorer:
    """A score that depends on the text alone, and a standing that depends on how many are scored."""

    look_back = 0

    def edition(self, _queue: str, _model: int | None) -> str:
        return "play"

    def assess(self, stretch: Stretch) -> Assessment:
        scored = [said for said in stretch.transcript if said.sentiment is not None]
        standing = Standing(score=0.0, attention=min(1.0, (len(scored) + 1) / 10))
        return Assessment(Sentiment(len(stretch.found.text) / 100, 0.5), standing)


class Unchanged:
    """`with Unchanged(client): ...`: what happens inside must leave every key as it is, byte for byte."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def __enter__(self) -> None:
        self._before = contents(self._client)

    def __exit__(self, *_: object) -> None:
        assert contents(self._client) == self._before


def run(client: redis.Redis, script: str, **fields: object) -> dict[str, Any]:
    """A script's answer, before the store's classes turn it into values."""
    return Scripts(client, keys.STORE).run(script, **fields)
