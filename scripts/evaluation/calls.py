"""Demo calls with ground truth: are the calls that need somebody raised, the others not, and how soon?

Time is simulated: an utterance arrives at its end, and then the standing is computed. The words are the true ones, or a
recogniser's: one JSON file a call, named like its folder or its call. It holds a list of utterances or
{"utterances": [...]}, each with track, start, end (seconds), text.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any, NamedTuple

from scripts.evaluation.scorers import plain_scorers
from scripts.evaluation.stats import edit_distance, pearson, shown, table
from workers.insight.attention import AttentionModel
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.words.spoken import Spoken
from workers.insight.words.tokens import tokenise

CLEARLY_NEGATIVE = -0.5
"""True polarity at or below which a turn is clearly negative (README of the demo calls)."""
NEGATIVE_FROM = -0.35
"""Predicted polarity at or below which we call a turn clearly negative. The same holds for the baselines."""


class Call(NamedTuple):
    """One call: its folder's name, truth.json as read, and the recognised utterances if there are any."""

    folder: str
    truth: dict[str, Any]
    recognised: list[Spoken] | None


class Outcome(NamedTuple):
    """The attention's course in a call. raised: spans [from, to) in which it was raised; peak: highest attention."""

    raised: list[tuple[float, float]]
    peak: float
    why: str


def load(folder: Path, recognised: Path | None) -> list[Call]:
    """All calls under `folder`. Raises ValueError for an unreadable file of recognised words."""
    calls: list[Call] = []
    for path in sorted(folder.glob("*/truth.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        heard: list[Spoken] | None = None
        for name in (path.parent.name, truth["call"]) if recognised else ():
            file = recognised / f"{name}.json" if recognised else path
            if file.exists():
                heard = _recognised(file)
                break
        calls.append(Call(path.parent.name, truth, heard))
    return calls


def _recognised(path: Path) -> list[Spoken]:
    raw = json.loads(path.read_text(encoding="utf-8"))
    items = raw["utterances"] if isinstance(raw, dict) else raw
    try:
        return [
            Spoken(u.get("id") or f"{u['track']}:{i}", u["track"], float(u["start"]), float(u["end"]), u["text"])
            for i, u in enumerate(items)
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name}: utterances need track, start, end, text: {error!r}") from error


def spoken(truth: dict[str, Any]) -> list[Spoken]:
    """The true turns as utterances."""
    return [
        Spoken(f"{t['track']}:{i}", t["track"], t["start_s"], t["end_s"], t["text"])
        for i, t in enumerate(truth["turns"])
    ]


def simulate(utterances: list[Spoken], duration: float, model: AttentionModel) -> Outcome:
    """Let the utterances arrive in order of their end and follow the attention."""
    arrived: list[Spoken] = []
    spans: list[tuple[float, float]] = []
    open_since: float | None = None
    peak, why = 0.0, ""
    for utterance in sorted(utterances, key=lambda u: (u.end, u.track)):
        arrived.append(utterance)
        standing = model.standing(arrived)
        peak = max(peak, standing.attention)
        if standing.raised and open_since is None:
            open_since = utterance.end
            why = why or "; ".join(reason.text for reason in standing.reasons[:2])
        elif not standing.raised and open_since is not None:
            spans.append((open_since, utterance.end))
            open_since = None
    if open_since is not None:
        spans.append((open_since, duration))
    return Outcome(spans, peak, why)


def _false_seconds(call: Call, outcome: Outcome) -> float:
    """Seconds raised where nobody was needed and no alert is tolerated."""
    truth = call.truth
    allowed = [tuple(span) for span in truth["tolerated_s"]]
    if truth["needs_attention"]:
        allowed.append((truth["attention_from_s"], truth["duration_s"]))
    false = 0.0
    for start, end in outcome.raised:
        covered = sum(max(0.0, min(end, b) - max(start, a)) for a, b in allowed)
        false += max(0.0, (end - start) - covered)
    return false


def report(calls: list[Call], model: AttentionModel) -> str:
    """A table of the attention on true words, and on recognised words if there are any."""
    out: list[str] = []
    for name in ("true words", "recognised words"):
        rows: list[list[str]] = []
        right = wrong = missed = 0
        delays: list[float] = []
        for call in calls:
            words = spoken(call.truth) if name == "true words" else call.recognised
            if words is None:
                continue
            outcome = simulate(words, call.truth["duration_s"], model)
            needed = call.truth["needs_attention"]
            false = _false_seconds(call, outcome)
            delay: float | None = None
            if needed and outcome.raised:
                right += 1
                delay = outcome.raised[0][0] - call.truth["attention_from_s"]
                delays.append(max(0.0, delay))
            missed += needed and not outcome.raised
            wrong += false > 0
            rows.append(
                [
                    call.truth["call"],
                    "yes" if needed else "no",
                    "yes" if outcome.raised else "no",
                    shown(outcome.peak, 2),
                    shown(delay, 1),
                    shown(false, 1),
                    outcome.why[:90],
                ]
            )
        if not rows:
            continue
        head = [f"attention, {name}", "needed", "raised", "peak", "delay s", "false s", "why"]
        precision = right / (right + wrong) if right + wrong else None
        recall = right / (right + missed) if right + missed else None
        median = statistics.median(delays) if delays else None
        out.append(table(head, rows))
        out.append(
            f"precision {shown(precision, 2)}, recall {shown(recall, 2)}, median delay {shown(median, 1)} s"
            " (goals 1.00, 1.00, under 10 s; a raise before the due second counts as delay 0)"
        )
    return "\n".join(out)


def polarity_report(calls: list[Call], analyzer: CallAnalyzer) -> str:
    """A table of the true turns' polarity against the labeller's: r, and customers' clearly negative turns."""
    scorers = {"ours": None, **plain_scorers()}
    rows: list[list[str]] = []
    turns = [t for call in calls for t in call.truth["turns"]]
    customers = [t for t in turns if t["track"] == "customer"]
    for name, score in scorers.items():
        got = [score(t["text"]) if score else analyzer.score(t["text"], t["track"]).polarity for t in turns]
        r = pearson([t["polarity"] for t in turns], got)
        said = [score(t["text"]) if score else analyzer.score(t["text"], "customer").polarity for t in customers]
        true = [t["polarity"] <= CLEARLY_NEGATIVE for t in customers]
        found = [value <= NEGATIVE_FROM for value in said]
        both = sum(a and b for a, b in zip(true, found, strict=True))
        rows.append([name, shown(r), shown(both / max(1, sum(found)), 2), shown(both / max(1, sum(true)), 2)])
    return table(["demo turns", "r with labeller", "precision of negative", "recall of negative"], rows)


def word_errors(calls: list[Call]) -> str:
    """Word error rate of the recognised words, in the normal form of tokens.py (numbers as digits)."""
    errors = words = 0
    for call in calls:
        if call.recognised is None:
            continue
        for track in ("agent", "customer"):
            true = [f for t in call.truth["turns"] if t["track"] == track for f in tokenise(t["text"]).forms]
            own = sorted((u for u in call.recognised if u.track == track), key=lambda u: u.start)
            errors += edit_distance(true, [f for u in own for f in tokenise(u.text).forms])
            words += len(true)
    return f"word error rate of the recogniser: {100 * errors / words:.1f} % of {words} words" if words else ""
