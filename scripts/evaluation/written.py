"""Attention on calls written for this project, some read while tuning and some kept apart.

Two authors wrote written_calls.yaml. In ordinary_calls.yaml most calls are ordinary, and all are kept apart.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import yaml

from scripts.evaluation import pace
from scripts.evaluation.figures import Call, follow
from workers.insight.attention import AttentionModel
from workers.insight.words.spoken import Spoken

FILES = ("written_calls.yaml", "ordinary_calls.yaml")


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One written call. needed: a supervisor should go in. tuned: we read it while tuning."""

    name: str
    needed: bool
    tuned: bool
    said: str


class WrittenFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    calls: list[Written]


def load(name: str = FILES[0]) -> list[Written]:
    """All written calls of a file."""
    text = (Path(__file__).parent / "sets" / name).read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), WrittenFile).calls


def spoken(call: Written) -> list[Spoken]:
    """The call's turns with times."""
    lines = [line.strip().partition(" ") for line in call.said.strip().splitlines()]
    return pace.spoken((who == "c", text) for who, _, text in lines)


def by_set() -> dict[str, list[Written]]:
    """The calls read while tuning, and those kept apart."""
    calls = {"written-read": [c for c in load() if c.tuned], "written-apart": [c for c in load() if not c.tuned]}
    return {**calls, "ordinary-apart": load(FILES[1])}


def sets(model: AttentionModel) -> dict[str, list[Call]]:
    """The same, judged. Calls that need somebody get the lowest rating, others the best."""
    return {name: [_judged(call, model) for call in some] for name, some in by_set().items()}


def _judged(call: Written, model: AttentionModel) -> Call:
    return Call(1.0 if call.needed else 5.0, None, *follow(spoken(call), model), [])
