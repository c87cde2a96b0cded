"""How a call was talked: who spoke how much and how fast, silence, overlaps, interruptions, hold; and its
summary.

Pure functions of the finished utterances. Speech is what the recogniser put words to: times are as exact as
its utterances' start and end, pauses inside an utterance count as speech.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from state.types import Standing
from workers.insight.attention import AttentionModel, Following
from workers.insight.context import ContextScorer, Mood, overall
from workers.insight.verdict import verdict
from workers.insight.words.spoken import Spoken, canonical
from workers.insight.words.tokens import FILLERS

MONOLOGUE_PAUSE_SECONDS = 2.0
"""Longest pause, in seconds, within one monologue. Nobody else speaks in it."""
OVERLAP_SECONDS = 0.25
"""Seconds from which an overlap is talking over each other. Shorter ones are quick answers."""
INTERRUPTION_SECONDS = 0.5
"""Least seconds that the other goes on speaking after one has begun, for it to be an interruption."""
SILENCE_SECONDS = 3.0
"""Seconds from which a pause of the whole call counts as silence."""
HOLD_SECONDS = 10.0
"""Seconds from which a pause of the whole call counts as hold; fewer after somebody spoke of holding."""
ANNOUNCED_HOLD_SECONDS = 5.0
_HOLD_WORDS = frozenset({"hold", "bear", "moment", "minute", "second", "wait"})


Span = tuple[float, float]


class PartyTalk(msgspec.Struct, frozen=True):
    """One party's share. interruptions: how often it broke into the other's speech."""

    talk_seconds: float = 0.0
    utterances: int = 0
    words: int = 0
    words_per_minute: float | None = None
    longest_monologue_seconds: float = 0.0
    interruptions: int = 0


class Talk(msgspec.Struct, frozen=True):
    """Talk figures of a call; parties are "agent", "customer" and "other", only those that spoke.

    talk_ratio: the agent's share of all talk time, None if nobody spoke. hold_seconds: as the switch told it, and then
    no part of silence_seconds; else guessed from long pauses, and a part of it.
    """

    duration_seconds: float
    parties: dict[str, PartyTalk]
    talk_ratio: float | None
    silence_seconds: float
    longest_silence_seconds: float
    hold_seconds: float
    holds: int
    overlap_seconds: float
    overlaps: int


class WorstMoment(msgspec.Struct, frozen=True):
    """The customer's utterance that sounded worst in its context."""

    utterance_id: str
    at: float
    text: str
    polarity: float
    reasons: list[str]


class Summary(msgspec.Struct, frozen=True):
    """The figures of an ended call, stored beside its transcript. score: the customer's side of the whole call,
    -1..1. verdict: chance that the call deserves a look now that it is over (verdict.py). peak_attention: the highest
    while it went on."""

    talk: Talk
    score: float | None
    standing: Standing
    worst: WorstMoment | None
    verdict: float
    peak_attention: float
    raised_seconds: list[float]


def analyse(utterances: Sequence[Spoken], held: Sequence[Span] = ()) -> Talk:
    """Talk figures. held: seconds in which somebody was on hold, if the switch told of any."""
    said = canonical(list(utterances))
    overlaps = list(_overlaps(said))
    talks: dict[str, PartyTalk] = {party: _party(said, party, overlaps) for party in sorted({u.party for u in said})}
    pauses = [(end - start - _on_hold(start, end, held), announced) for start, end, announced in _silences(said)]
    silences = [(pause, announced) for pause, announced in pauses if pause >= SILENCE_SECONDS]
    holds = [end - start for start, end in held]
    holds = holds or [pause for pause, announced in silences if _is_hold(pause, announced)]
    total = sum(t.talk_seconds for t in talks.values())
    return Talk(
        duration_seconds=round(max((u.end for u in said), default=0.0), 2),
        parties=talks,
        talk_ratio=round(talks["agent"].talk_seconds / total, 3) if total and "agent" in talks else None,
        silence_seconds=round(sum((pause for pause, _ in silences), 0.0), 2),
        longest_silence_seconds=round(max((pause for pause, _ in silences), default=0.0), 2),
        hold_seconds=round(sum(holds, 0.0), 2),
        holds=len(holds),
        overlap_seconds=round(sum((shared for shared, _ in overlaps), 0.0), 2),
        overlaps=len(overlaps),
    )


def _party(said: list[Spoken], party: str, overlaps: list[tuple[float, str]]) -> PartyTalk:
    own = [u for u in said if u.party == party]
    talk = sum(end - start for start, end in _merge([(u.start, u.end) for u in own]))
    words = sum(_words(u.text) for u in own)
    return PartyTalk(
        talk_seconds=round(talk, 2),
        utterances=len(own),
        words=words,
        words_per_minute=round(60 * words / talk, 1) if talk > 0 else None,
        longest_monologue_seconds=round(_longest_monologue(said, party), 2),
        interruptions=sum(by == party for _, by in overlaps),
    )


def _overlaps(said: list[Spoken]) -> Iterator[tuple[float, str]]:
    """For each time two parties spoke at once: seconds, and who broke in, "" for nobody."""
    for index, one in enumerate(said):
        for other in said[index + 1 :]:
            if other.start >= one.end:
                break
            shared = min(one.end, other.end) - other.start
            if other.party != one.party and shared >= OVERLAP_SECONDS:
                broke_in = one.end - other.start >= INTERRUPTION_SECONDS and other.start > one.start
                yield shared, other.party if broke_in else ""


def summary(
    utterances: Sequence[Spoken],
    model: AttentionModel,
    scorer: ContextScorer,
    held: Sequence[Span] = (),
) -> Summary:
    """The figures to store of an ended call. They cost one standing an utterance, so they are for jobs, not for the
    live path."""
    said = canonical(list(utterances))
    mood = Mood()
    worst: WorstMoment | None = None
    polarities: list[float] = []
    for utterance in said:
        sentiment, mood = scorer.step(mood, utterance)
        if utterance.party == "agent":
            continue
        polarities.append(sentiment.polarity)
        if sentiment.polarity < (worst.polarity if worst else 0.0):
            worst = WorstMoment(utterance.id, utterance.start, utterance.text, sentiment.polarity, sentiment.reasons)
    standing, peak, raised = Standing(), 0.0, []
    following = Following(model)
    for end in range(1, len(said) + 1):
        standing = following.standing(said[:end])
        peak = max(peak, standing.attention)
        if standing.raised_at is not None and standing.raised_at not in raised:
            raised.append(standing.raised_at)
    judged = verdict(said, model.analyzer, peak if raised else None, model.weights)
    return Summary(analyse(said, held), overall(polarities), standing, worst, judged, peak, raised)


def _words(text: str) -> int:
    return sum(word.strip(".,!?;:").lower() not in FILLERS for word in text.split())


def _merge(spans: list[Span]) -> list[Span]:
    """Spans joined where they overlap or touch."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _on_hold(start: float, end: float, held: Sequence[Span]) -> float:
    """Seconds of start..end in which somebody was on hold."""
    return sum(max(0.0, min(end, until) - max(start, since)) for since, until in held)


def _silences(said: list[Spoken]) -> list[tuple[float, float, bool]]:
    """Pauses between utterances and before the first: from, to, and whether the words before it spoke of waiting."""
    out: list[tuple[float, float, bool]] = []
    at, last_words = 0.0, ""
    for utterance in said:
        if utterance.start - at >= SILENCE_SECONDS:
            out.append((at, utterance.start, not _HOLD_WORDS.isdisjoint(last_words.lower().split())))
        if utterance.end >= at:
            at, last_words = utterance.end, f"{last_words} {utterance.text}"[-200:]
    return out


def _is_hold(pause: float, announced: bool) -> bool:
    return pause >= (ANNOUNCED_HOLD_SECONDS if announced else HOLD_SECONDS)


def _longest_monologue(said: list[Spoken], party: str) -> float:
    """Longest stretch of `party` speaking that no utterance of another begins in."""
    longest, start, end = 0.0, 0.0, -1.0
    for utterance in said:
        if utterance.party != party:
            start, end = 0.0, -1.0
            continue
        if end < 0 or utterance.start - end > MONOLOGUE_PAUSE_SECONDS:
            start = utterance.start
        end = max(end, utterance.end)
        longest = max(longest, end - start)
    return longest
