"""How a call stands: a pure function of its scored utterances, so that their order of scoring does not matter."""

from __future__ import annotations

from state.types import ScoredUtterance, Standing

MEMORY_SECONDS = 30.0
"""A score's weight falls to 1/e in so much audio: about four turns of a call."""

CUSTOMER_WEIGHT, OTHER_WEIGHT = 1.0, 0.25
"""The customer's mood is the call's; the agent's is trained to be even."""

CURVE_POINTS = 30


def stand(scored: list[ScoredUtterance]) -> Standing:
    """The call's standing after these utterances (in canonical order, all with a score)."""
    total = weights = 0.0
    before = 0.0
    curve: list[tuple[float, float]] = []
    for utterance in sorted(scored, key=lambda u: (u.end, u.track, u.index)):
        assert utterance.sentiment is not None
        fade = 2.718281828 ** (-max(0.0, utterance.end - before) / MEMORY_SECONDS)
        weight = CUSTOMER_WEIGHT if utterance.track == "customer" else OTHER_WEIGHT
        total = total * fade + weight * utterance.sentiment.polarity
        weights = weights * fade + weight
        before = utterance.end
        curve.append((round(utterance.end, 2), round(total / weights, 4)))
    if not curve:
        return Standing()
    score = curve[-1][1]
    earlier = [(at, value) for at, value in curve if at <= before - MEMORY_SECONDS]
    trend = None
    if earlier:
        at, value = earlier[-1]
        trend = round((score - value) / (before - at) * 60, 4)
    return Standing(score, trend, round(max(0.0, -score), 4), [], curve[-CURVE_POINTS:])
