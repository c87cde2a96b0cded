"""Scores: the part of a call that scoring an utterance needs, and the standing that follows from all scores."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import msgspec

from state.calls.assessments import Assessment, Kept, Scorer, Stretch, Unscored
from state.calls.happenings import spans
from state.calls.transcripts import transcript
from state.events import FinalEvent, ScoreEvent, encode
from state.server.asking import ask
from state.server.shards import Shard
from state.settings import Settings
from state.tracing import carried
from state.types import Happening, Masked, ScoredUtterance, Sentiment, Standing, Utterance

_happened = msgspec.json.Decoder(list[Happening]).decode


SET_ASIDE = "could not be scored"
"""The only reason in the neutral score of an utterance that nobody could score."""


_utterance = msgspec.msgpack.Decoder(Utterance)
_standing = msgspec.msgpack.Decoder(Standing)
_pack = msgspec.msgpack.Encoder().encode


_kept = msgspec.msgpack.Decoder(Kept)


class Scores:
    """The scores of one shard's calls. Scoring twice, or by two workers at once, has the effect of scoring
    once."""

    def __init__(self, shard: Shard, settings: Settings) -> None:
        self._redis = shard.redis
        self._keys = shard.keys
        self._run = shard.run
        self._retention_seconds = settings.retention_hours * 3600

    def store(self, unscored: Unscored, scorer: Scorer) -> str:
        """Score one utterance.

        Args:
            unscored: the utterance.
            scorer: gives its score.

        Returns:
            OK, ENDED, AGAIN or GONE: see lua/score.lua.

        Raises:
            redis.RedisError: as the client does. The score may be stored; the call may be repeated.
        """
        whole = False
        while True:
            scored_before, stretch = self._read_stretch(unscored, scorer, whole)
            if stretch is None and not whole:
                whole = True
                continue
            if stretch is None or stretch.found.sentiment is not None:
                # expired or scored before: the script says which, and drops the entry
                return self._write(unscored, Assessment(Sentiment(0.0, 0.0), Standing()), scored_before)
            answer = self._write(unscored, scorer.assess(stretch), scored_before)
            if answer != "CONFLICT":
                return answer
            whole = False

    def set_aside(self, unscored: Unscored, reason: str, hide: Callable[[str], str] | None = None) -> str:
        """Give up scoring an utterance: it becomes neutral and gets a mark, and operators find it among the dead
        letters.

        The call's standing stays as it is. reason: for operators; it must not quote the call. hide: what people may see
        of a text that redaction could not judge. Returns the same as `store`.
        """
        while True:
            pipe = self._redis.pipeline(transaction=False)
            pipe.hlen(self._keys.scores(unscored.call_id))
            pipe.hget(self._keys.call(unscored.call_id), "standing")
            pipe.hget(self._keys.utterances(unscored.call_id), unscored.utterance_id)
            count, standing, utterance = pipe.execute()
            try:
                stays = _standing.decode(standing) if standing else Standing()
            except msgspec.DecodeError:
                stays = Standing()
            given_up = Assessment(Sentiment(0.0, 0.0, [SET_ASIDE]), stays, _marked(utterance, hide))
            answer = self._write(unscored, given_up, count, reason)
            if answer != "CONFLICT":
                return answer

    def forget_kept(self, call_id: str) -> None:
        """Make the next score read the whole call: perhaps the kept part was unusable."""
        self._redis.delete(self._keys.kept(call_id))

    def _read_stretch(self, unscored: Unscored, scorer: Scorer, whole: bool) -> tuple[int, Stretch | None]:
        """The number of the call's scores, and what scoring needs of it. None if the utterance, or one before it, is
        missing.

        whole: read all of it, whatever is kept.
        """
        # The number of scores first: if one is added later, it is no longer this one, and the script says CONFLICT.
        # (No MULTI: Redis refuses even reads in one while memory is full.)
        call_id = unscored.call_id
        fields = ("state", "open_tracks", "unscored", "tracks", "metadata", "standing", "happened")
        scored, (state, open_tracks, missing, packed_tracks, metadata, standing, happened), packed = ask(
            self._redis,
            ("HLEN", self._keys.scores(call_id)),
            ("HMGET", self._keys.call(call_id), *fields),
            ("GET", self._keys.kept(call_id)),
        )
        tracks = (packed_tracks or b"").decode().split()
        # If only this score is missing, nobody will say more on this call.
        last = state == b"ending" and open_tracks == b"0" and missing == b"1"
        queue, model = _queue(metadata), _model(standing)
        kept = _kept_by(scorer.edition(queue, model), packed) if not whole and not last else None
        said = self._since(call_id, tracks, kept.cut) if kept else self._all(call_id)
        at = next((n for n, utterance in enumerate(said) if utterance.id == unscored.utterance_id), None)
        if at is None or (kept and any(kept.cut.values()) and at < scorer.look_back):
            return scored, None
        holds = spans(_happened(happened), "hold", "resume", inf) if happened else []
        return scored, Stretch(call_id, said, said[at], tracks, last, kept, queue, model, holds)

    def _all(self, call_id: str) -> list[ScoredUtterance]:
        pipe = self._redis.pipeline(transaction=False)
        pipe.hgetall(self._keys.scores(call_id))
        pipe.hgetall(self._keys.utterances(call_id))
        scores, utterances = pipe.execute()
        return transcript(utterances, scores)

    def _since(self, call_id: str, tracks: list[str], cut: dict[str, int]) -> list[ScoredUtterance]:
        counts = ask(self._redis, *(("HGET", self._keys.track(call_id, track), "final_count") for track in tracks))
        ids = [
            f"{track}:{index}"
            for track, count in zip(tracks, counts, strict=True)
            for index in range(cut.get(track, 0), int(count or 0))
        ]
        if not ids:
            return []
        scores, utterances = ask(
            self._redis,
            ("HMGET", self._keys.scores(call_id), *ids),
            ("HMGET", self._keys.utterances(call_id), *ids),
        )
        found = {name.encode(): packed for name, packed in zip(ids, utterances, strict=True) if packed}
        given = {name.encode(): packed for name, packed in zip(ids, scores, strict=True) if packed}
        return transcript(found, given)

    def _write(self, unscored: Unscored, assessed: Assessment, scored_before: int, set_aside: str = "") -> str:
        call_id, standing = unscored.call_id, assessed.standing
        told = msgspec.structs.replace(standing, gist=[])  # an opened page asks for it; here it would double the feed
        event = ScoreEvent(call_id, unscored.utterance_id, assessed.sentiment, told)
        answer = self._run(
            "score",
            call_id=call_id,
            retention_seconds=self._retention_seconds,
            entry=unscored.entry,
            utterance_id=unscored.utterance_id,
            score=_pack(assessed.sentiment),
            scored_before=scored_before,
            standing=_pack(standing),
            attention=standing.attention,
            event=encode(event),
            **carried(),
            **({"set_aside": set_aside} if set_aside else {}),
            **({"kept": _pack(assessed.kept)} if assessed.kept else {}),
            **masking_fields(call_id, assessed.masked),
        )
        return str(answer["outcome"])


def _kept_by(edition: str, packed: bytes | None) -> Kept | None:
    """What is kept, if this edition wrote it."""
    try:
        kept = _kept.decode(packed) if packed else None
    except msgspec.DecodeError:  # from another version
        return None
    return kept if kept and kept.edition == edition else None


class _Queue(msgspec.Struct):
    """The part of a call's metadata that a scorer needs."""

    queue: str = ""


class _Model(msgspec.Struct):
    """The part of a standing that a scorer needs."""

    model: int | None = None


_decode_queue = msgspec.json.Decoder(_Queue).decode
_decode_model = msgspec.msgpack.Decoder(_Model).decode


def _queue(metadata: bytes | None) -> str:
    """The queue that the metadata names; "" for none."""
    try:
        return _decode_queue(metadata).queue if metadata else ""
    except msgspec.DecodeError:  # damaged: the words can be scored all the same
        return ""


def _model(standing: bytes | None) -> int | None:
    """The version of the attention model that a call's standing came from; None for none."""
    try:
        return _decode_model(standing).model if standing else None
    except msgspec.DecodeError:
        return None


def _marked(utterance: bytes | None, hide: Callable[[str], str] | None) -> Masked | None:
    """What to store and tell about an utterance that is set aside. None if it cannot even be read."""
    try:
        said = _utterance.decode(utterance or b"")
    except msgspec.DecodeError:
        return None
    marked = msgspec.structs.replace(said, mark="unscorable")
    if hide is not None:
        marked = msgspec.structs.replace(marked, text=hide(said.text), words=[])
    return Masked([], [marked], [marked])


def masking_fields(call_id: str, masked: Masked | None) -> dict[str, Any]:
    """What the scripts get of redaction, as `redact` in lua/common.lua takes it. Nothing if it changes nothing."""
    if masked is None or not (masked.store or masked.tell):
        return {}
    store = [{"id": utterance.id, "utterance": _pack(utterance)} for utterance in masked.store]
    tell = [
        {
            "id": utterance.id,
            "utterance": _pack(msgspec.structs.replace(utterance, words=[])),
            "event": encode(FinalEvent(call_id, utterance)),
        }
        for utterance in masked.tell
    ]
    return {"masked": {"store": store, "tell": tell}}
