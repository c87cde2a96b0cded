"""The sentiment workers' side: utterances to be scored, and the call's standing that follows from all scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec
import redis

from state import keys
from state.connection import BLOCK_MS
from state.events import FinalEvent, ScoreEvent, encode
from state.scripts import Scripts
from state.settings import Settings
from state.types import Masked, ScoredUtterance, Sentiment, Standing, Utterance

ABANDONED_AFTER_MS = 10_000
"""An utterance delivered to a sentiment worker and not scored for so long goes to another (scoring takes ms)."""

SET_ASIDE = "could not be scored"
"""The one reason of the neutral score of an utterance that was given up."""

FORGOTTEN_AFTER_MS = 3_600_000
"""A worker that has asked for nothing for so long is dead; one that lives asks every second."""

_utterance = msgspec.msgpack.Decoder(Utterance)
_standing = msgspec.msgpack.Decoder(Standing)
_sentiment = msgspec.msgpack.Decoder(Sentiment)
_pack = msgspec.msgpack.Encoder().encode


class Unscored(msgspec.Struct, frozen=True):
    """An utterance waiting for its score: its entry in `finals`, its call and its id.

    tries: how often scoring it was begun in vain. redelivered: a worker was given it before.
    """

    entry: str
    call_id: str
    utterance_id: str
    tries: int = 0
    redelivered: bool = False


Mask = Callable[[list[ScoredUtterance], list[ScoredUtterance], list[str], bool], Masked]
"""What redaction makes of a transcript before and after a score, given the call's tracks and whether it is the last."""


class _Stored(msgspec.Struct, frozen=True):
    """A call as it was read: its transcript, how many scores it has, its tracks, and whether one score is missing."""

    transcript: list[ScoredUtterance]
    scores: int
    tracks: list[str]
    one_missing: bool


class Scores:
    """One sentiment worker's view. Scoring twice, or by two workers at once, has the effect of once."""

    def __init__(self, client: redis.Redis, worker: str, settings: Settings) -> None:
        self._redis = client
        self._scripts = Scripts(client, keys.STORE)
        self._worker = worker
        self._retention_seconds = settings.retention_hours * 3600

    def join(self) -> list[Unscored]:
        """Make sure the group exists; returns what this worker was given before and has not finished."""
        try:
            return self._pending()
        except redis.exceptions.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            # Made only when it is missing: while memory is full, even a repeated creation would be refused.
            self._make_group()
            return []

    def _make_group(self) -> None:
        try:
            self._redis.xgroup_create(keys.FINALS, keys.SENTIMENT, id="0", mkstream=True)
        except redis.exceptions.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def next(self, count: int = 32) -> list[Unscored]:
        """Up to `count` utterances to be scored; waits BLOCK_MS for the first."""
        return self._read(">", count, block=True)

    def abandoned(self) -> list[Unscored]:
        """Utterances that another worker took and did not finish; they are this worker's now, with what it holds."""
        try:
            # JUSTID: a plain claim would count a try for every utterance, also for those nobody has begun.
            self._redis.xautoclaim(
                keys.FINALS, keys.SENTIMENT, self._worker, ABANDONED_AFTER_MS, start_id="0-0", count=100, justid=True
            )
        except redis.exceptions.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
        return self.join()

    def begin(self, unscored: Unscored, tries: int) -> None:
        """Write down how often scoring this utterance was tried, with the try that is now begun or has just failed.

        The count is the group's own delivery count: it goes when the entry goes, and a full server counts, too.
        """
        # A delivery counts one, and says nothing about whether anybody has begun.
        self._redis.xclaim(
            keys.FINALS, keys.SENTIMENT, self._worker, 0, [unscored.entry], retrycount=tries + 1, justid=True
        )

    def forget_dead(self) -> int:
        """Strike workers that died and left nothing off the group's list. Returns how many."""
        return int(self._scripts.run("forget", idle_ms=FORGOTTEN_AFTER_MS)["forgotten"])

    def leave(self) -> None:
        """Withdraw from the group, unless something is still pending here (it is claimed by others then)."""
        pending = cast(list[Any], self._redis.xpending_range(keys.FINALS, keys.SENTIMENT, "-", "+", 1, self._worker))
        if not pending:
            self._redis.xgroup_delconsumer(keys.FINALS, keys.SENTIMENT, self._worker)

    def store(
        self,
        unscored: Unscored,
        judge: Callable[[list[ScoredUtterance], Utterance], Sentiment],
        stand: Callable[[str, list[ScoredUtterance]], Standing],
        mask: Mask | None = None,
    ) -> str:
        """Score one utterance. `judge`, `stand` and `mask` are pure: when another score of the call comes between
        reading and writing, they are asked again.

        Args:
            unscored: the utterance.
            judge: gives its sentiment, of what is scored so far and the utterance.
            stand: gives the call's standing, of its id and all that is scored.
            mask: what redaction changes; `stand` is then given what may be shown.

        Returns:
            OK, ENDED, AGAIN or GONE: see lua/score.lua.

        Raises:
            redis.RedisError: as the client does; it may have been stored, and may be repeated.
        """
        call_id, utterance_id = unscored.call_id, unscored.utterance_id
        while True:
            call = self._call(call_id)
            found = next((u for u in call.transcript if u.id == utterance_id), None)
            if found is None or found.sentiment is not None:
                # expired or scored before: the script tells which, and drops the entry
                return self._write(unscored, Sentiment(0.0, 0.0), call.scores, Standing(), None)
            earlier = [u for u in call.transcript if u.sentiment is not None]
            sentiment = judge(earlier, found)
            scored = msgspec.structs.replace(found, sentiment=sentiment)
            after = [scored if u is found else u for u in call.transcript]
            masked = mask(call.transcript, after, call.tracks, call.one_missing) if mask else None
            shown = masked.transcript if masked else after
            said = [u for u in shown if u.sentiment is not None and u.mark is None]
            answer = self._write(unscored, sentiment, call.scores, stand(call_id, said), masked)
            if answer != "CONFLICT":
                return answer

    def set_aside(self, unscored: Unscored, reason: str, hide: Callable[[str], str] | None = None) -> str:
        """Give up scoring an utterance: it becomes neutral and is marked, and operators find it among the dead letters.

        The call's standing stays as it is. reason: for operators; must not quote the call. hide: what may be shown of
        a text that redaction could not judge. The answer is as of `store`.
        """
        while True:
            pipe = self._redis.pipeline(transaction=False)
            pipe.hlen(keys.scores(unscored.call_id))
            pipe.hget(keys.call(unscored.call_id), "standing")
            pipe.hget(keys.utterances(unscored.call_id), unscored.utterance_id)
            count, standing, utterance = pipe.execute()
            answer = self._write(
                unscored,
                Sentiment(0.0, 0.0, [SET_ASIDE]),
                count,
                _standing.decode(standing) if standing else Standing(),
                _marked(utterance, hide),
                reason,
            )
            if answer != "CONFLICT":
                return answer

    def _call(self, call_id: str) -> _Stored:
        # Scores first: if one is added in between, their number is no longer this one and the script says CONFLICT.
        # Then the counters: of a call that had nothing outstanding but this score, no more will be said.
        # (No MULTI: Redis refuses even reads in one while memory is full.)
        pipe = self._redis.pipeline(transaction=False)
        pipe.hgetall(keys.scores(call_id))
        pipe.hmget(keys.call(call_id), "state", "open_tracks", "unscored", "tracks")
        pipe.hgetall(keys.utterances(call_id))
        scores, (state, open_tracks, missing, tracks), utterances = pipe.execute()
        return _Stored(
            transcript(utterances, scores),
            len(scores),
            (tracks or b"").decode().split(),
            state == b"ending" and open_tracks == b"0" and missing == b"1",
        )

    def _write(
        self,
        unscored: Unscored,
        sentiment: Sentiment,
        count: int,
        standing: Standing,
        masked: Masked | None,
        set_aside: str = "",
    ) -> str:
        call_id = unscored.call_id
        event = ScoreEvent(call_id, unscored.utterance_id, sentiment, standing)
        answer = self._scripts.run(
            "score",
            call_id=call_id,
            retention_seconds=self._retention_seconds,
            entry=unscored.entry,
            utterance_id=unscored.utterance_id,
            score=_pack(sentiment),
            scored_before=count,
            standing=_pack(standing),
            attention=standing.attention,
            event=encode(event),
            **({"set_aside": set_aside} if set_aside else {}),
            **masking_fields(call_id, masked),
        )
        return str(answer["outcome"])

    def _read(self, after: str, count: int, block: bool) -> list[Unscored]:
        try:
            answer = self._redis.xreadgroup(
                keys.SENTIMENT,
                self._worker,
                {keys.FINALS: after},
                count=count,
                block=BLOCK_MS if block else None,
            )
        except redis.exceptions.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._make_group()
            return []
        return [
            _unscored(entry_id, fields)
            for _, entries in cast(list[Any], answer) or []
            for entry_id, fields in entries
            if fields
        ]

    def _pending(self) -> list[Unscored]:
        """What this worker holds, at most 100. Looked up, not read again: that would count as a delivery."""
        pending = cast(
            list[dict[str, Any]],
            self._redis.xpending_range(keys.FINALS, keys.SENTIMENT, "-", "+", 100, self._worker),
        )
        pipe = self._redis.pipeline(transaction=False)
        for entry in pending:
            pipe.xrange(keys.FINALS, entry["message_id"], entry["message_id"])
        found = []
        for entry, entries in zip(pending, pipe.execute() if pending else [], strict=True):
            if entries:
                found.append(_unscored(entries[0][0], entries[0][1], entry["times_delivered"] - 1, redelivered=True))
            else:
                self._redis.xack(keys.FINALS, keys.SENTIMENT, entry["message_id"])
        return found


def _marked(utterance: bytes | None, hide: Callable[[str], str] | None) -> Masked | None:
    """What is stored and told of an utterance that is set aside; None if it cannot even be read."""
    try:
        said = _utterance.decode(utterance or b"")
    except msgspec.DecodeError:
        return None
    marked = msgspec.structs.replace(said, mark="unscorable")
    if hide is not None:
        marked = msgspec.structs.replace(marked, text=hide(said.text), words=[])
    return Masked([], [marked], [marked])


def masking_fields(call_id: str, masked: Masked | None) -> dict[str, Any]:
    """What the scripts are told of redaction, as `redact` in lua/common.lua takes it; nothing if it changes nothing."""
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


def transcript(utterances: dict[bytes, bytes], scores: dict[bytes, bytes]) -> list[ScoredUtterance]:
    """A call's transcript from its two hashes, in canonical order: by start, then track, then index."""
    result = [scored_utterance(_utterance.decode(packed), scores.get(name)) for name, packed in utterances.items()]
    result.sort(key=_order)
    return result


def scored_utterance(utterance: Utterance, score: bytes | None) -> ScoredUtterance:
    """An utterance with its stored score, if it has one."""
    return ScoredUtterance(
        **{name: getattr(utterance, name) for name in Utterance.__struct_fields__},
        sentiment=_sentiment.decode(score) if score is not None else None,
    )


def _order(utterance: Utterance) -> tuple[float, str, int]:
    return utterance.start, utterance.track, utterance.index


def _unscored(entry_id: bytes, fields: dict[bytes, bytes], tries: int = 0, redelivered: bool = False) -> Unscored:
    return Unscored(entry_id.decode(), fields[b"c"].decode(), fields[b"i"].decode(), tries, redelivered)
