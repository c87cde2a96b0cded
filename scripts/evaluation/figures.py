"""How well Earshot judges calls, in the figures that --json prints, with bootstrap errors.

A call is bad if its rating (1..5, mean of its raters) is below BAD_BELOW, and good from GOOD_FROM on. Calls between
these count as not bad in the AUCs, and as neither in the counts of raised calls. Errors are standard deviations over
BOOTSTRAPS samples of whole calls, drawn with replacement from a fixed seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from scripts.evaluation.stats import auc, shown, table
from workers.insight.attention import AttentionModel, Following
from workers.insight.verdict import verdict
from workers.insight.words.spoken import Spoken

BAD_BELOW, GOOD_FROM = 2.5, 3.0
BOOTSTRAPS = 200
BINS = 5
"""Rows of the reliability table: attention 0-.2, .2-.4, and so on."""


class Call(NamedTuple):
    """A rated call, and Earshot's judgement of it.

    rating: of the whole call, None if it has none.  score: of the whole call, -1..1, None if nothing was scored.
    peak: its attention in the end (verdict.py), which ranks ended calls.
    live: its highest attention while it went on.  raised: Earshot wanted a supervisor at some time.
    turns: (rating, polarity) of the customer's rated turns.
    """

    rating: float | None
    score: float | None
    peak: float
    live: float
    raised: bool
    turns: list[tuple[float, float]]


class Bin(msgspec.Struct, frozen=True):
    """Calls whose peak lies in one part of the scale: how many deserved it, and the mean that was shown."""

    calls: int
    shown: float | None
    deserved: float | None


class Figures(msgspec.Struct, frozen=True):
    """Figures of one set. An AUC is None if there is nothing to tell apart."""

    turn_auc: float | None
    dialogue_auc: float | None
    peak_auc: float | None
    live_peak_auc: float | None
    good: int
    good_raised: int
    bad: int
    bad_raised: int
    calibration: list[Bin]


def follow(said: Sequence[Spoken], model: AttentionModel) -> tuple[float, float, bool]:
    """(verdict, live peak, raised at some time) of a call. Its utterances arrive in the order of their ends."""
    live, raised = 0.0, False
    arrived: list[Spoken] = []
    following = Following(model)
    for utterance in sorted(said, key=lambda u: (u.end, u.track)):
        arrived.append(utterance)
        standing = following.standing(arrived)
        live = max(live, standing.attention)
        raised = raised or standing.raised
    return verdict(said, model.analyzer, live if raised else None), live, raised


def figures(calls: Sequence[Call]) -> Figures:
    """The figures of a set."""
    rated = [call for call in calls if call.rating is not None]
    bad = [call for call in rated if _bad(call)]
    good = [call for call in rated if call.rating is not None and call.rating >= GOOD_FROM]
    turns = [turn for call in calls for turn in call.turns]
    return Figures(
        turn_auc=_rounded(auc(*_parted([(rating < BAD_BELOW, -said) for rating, said in turns]))),
        dialogue_auc=_rounded(auc(*_parted([(_bad(c), -c.score) for c in rated if c.score is not None]))),
        peak_auc=_rounded(auc(*_parted([(_bad(call), call.peak) for call in rated]))),
        live_peak_auc=_rounded(auc(*_parted([(_bad(call), call.live) for call in rated]))),
        good=len(good),
        good_raised=sum(call.raised for call in good),
        bad=len(bad),
        bad_raised=sum(call.raised for call in bad),
        calibration=[_bin([c for c in rated if min(int(c.peak * BINS), BINS - 1) == at]) for at in range(BINS)],
    )


def report(sets: dict[str, list[Call]]) -> str:
    """Tables for people: figures with their errors, and the reliability of the attention shown."""
    rows: list[list[str]] = []
    reliable: list[list[str]] = []
    for name, calls in sets.items():
        found = figures(calls)
        error = _errors(calls)
        row = [name]
        for key, value in _told(found).items():
            digits, factor = (1, 100) if key in ("good", "bad") else (3, 1)
            row.append("-" if value is None else f"{factor * value:.{digits}f} ±{factor * error[key]:.{digits}f}")
        row[5:5], row[7:7] = [f"{found.good_raised}/{found.good}"], [f"{found.bad_raised}/{found.bad}"]
        rows.append(row)
        reliable.append(
            [name, *(f"{shown(b.shown, 2)} {shown(b.deserved, 2)} of {b.calls}" for b in found.calibration)]
        )
    head = ["set", "turn AUC", "score AUC", "peak AUC", "live peak", "good raised", "%", "bad raised", "%"]
    bins = [f"{at / BINS:.1f}-{(at + 1) / BINS:.1f}" for at in range(BINS)]
    return "\n".join([table(head, rows), "", table(["peak shown, share bad", *bins], reliable)])


def _told(found: Figures) -> dict[str, float | None]:
    return {
        "turn": found.turn_auc,
        "score": found.dialogue_auc,
        "peak": found.peak_auc,
        "live": found.live_peak_auc,
        "good": found.good_raised / found.good if found.good else None,
        "bad": found.bad_raised / found.bad if found.bad else None,
    }


def _errors(calls: list[Call]) -> dict[str, float]:
    """Standard deviation of each figure over the samples that have it."""
    draw = np.random.default_rng(1)
    samples = [_told(figures([calls[i] for i in draw.integers(0, len(calls), len(calls))])) for _ in range(BOOTSTRAPS)]
    out: dict[str, float] = {}
    for key in samples[0]:
        seen = [value for sample in samples if (value := sample[key]) is not None]
        out[key] = float(np.std(seen)) if seen else 0.0
    return out


def _bad(call: Call) -> bool:
    return call.rating is not None and call.rating < BAD_BELOW


def _parted(cases: Sequence[tuple[bool, float]]) -> tuple[list[float], list[float]]:
    return [value for bad, value in cases if bad], [value for bad, value in cases if not bad]


def _bin(calls: list[Call]) -> Bin:
    if not calls:
        return Bin(0, None, None)
    mean, share = sum(c.peak for c in calls) / len(calls), sum(map(_bad, calls)) / len(calls)
    return Bin(len(calls), round(mean, 3), round(share, 3))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
