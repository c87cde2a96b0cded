"""Compares summaries with a person's notes: of calls read while writing phrases, and of others kept apart."""

from __future__ import annotations

from pathlib import Path

import msgspec
import yaml

from scripts.evaluation import calls, written
from scripts.evaluation.stats import shown, table
from state.types import Point
from workers.insight.attention import AttentionModel
from workers.insight.words.spoken import Spoken

FILE = Path(__file__).parent / "sets" / "summaries.yaml"
SETTLED = ("settled", "done", "promised")


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the lines of one call's summary must hold. summaries.yaml says how."""

    call: str
    reason: list[str]
    promises: list[str]
    happened: list[str]
    outcome: str
    apart: bool = False


def load() -> list[Expected]:
    """All expectations."""
    return msgspec.convert(yaml.safe_load(FILE.read_text(encoding="utf-8"))["calls"], list[Expected])


def report(demo: list[calls.Call], model: AttentionModel) -> str:
    """A table of the shares of the expected that summaries hold; for the demo calls also on recognised words."""
    truths = {call.folder: calls.spoken(call.truth) for call in demo}
    truths |= {call.name: written.spoken(call) for call in written.load()}
    heard = {call.folder: call.recognised for call in demo if call.recognised is not None}
    expected = [one for one in load() if one.call in truths]
    rows = [
        _row("read while writing", [one for one in expected if not one.apart], truths, model),
        _row("kept apart", [one for one in expected if one.apart], truths, model),
    ]
    if heard:
        rows.append(_row("demo, recognised words", [one for one in expected if one.call in heard], heard, model))
    head = ["summaries", "calls", "reason right", "promises found", "promises true", "happened found", "outcome right"]
    return table(head, rows)


def _row(name: str, expected: list[Expected], said: dict[str, list[Spoken]], model: AttentionModel) -> list[str]:
    reasons = outcomes = kept = promised = true = happened = events = 0
    for one in expected:
        points = model.standing(said[one.call]).gist
        reasons += any(_holds(points, "reason", words) for words in one.reason)
        kept += sum(_holds(points, "promise", words) for words in one.promises)
        promised += len(one.promises)
        told = [point.quote for point in points if point.part == "promise"]
        true += sum(any(_in(words, quote) for words in one.promises) for quote in told)
        events += sum(_holds(points, "happened", words) for words in one.happened)
        happened += len(one.happened)
        ended = next((point.text.partition(":")[0] for point in points if point.part == "outcome"), "")
        outcomes += ended in (SETTLED if one.outcome == "settled" else (one.outcome,))
    told_in_all = sum(point.part == "promise" for one in expected for point in model.standing(said[one.call]).gist)
    parts = ((reasons, len(expected)), (kept, promised), (true, told_in_all), (events, happened))
    return [name, str(len(expected)), *map(_share, (*parts, (outcomes, len(expected))))]


def _share(part: tuple[int, int]) -> str:
    return f"{part[0]} of {part[1]}" if part[1] else shown(None)


def _holds(points: list[Point], part: str, words: str) -> bool:
    return any(point.part == part and _in(words, point.quote) for point in points)


def _in(words: str, quote: str) -> bool:
    """Whether a quote holds the words, as a recogniser may write them."""
    return _plain(words) in _plain(quote)


def _plain(text: str) -> str:
    return " ".join("".join(one for one in word if one.isalnum()) for word in text.lower().split())
