"""A call's transcript, as its hashes hold it."""

from __future__ import annotations

import msgspec

from state.types import ScoredUtterance, Sentiment, Utterance

_utterance = msgspec.msgpack.Decoder(Utterance)
_sentiment = msgspec.msgpack.Decoder(Sentiment)


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
