"""Attention on calls written for this project (written_calls.yaml): read while tuning, and kept apart."""

from __future__ import annotations

from pathlib import Path

import msgspec
import yaml

from scripts.evaluation import pace
from scripts.evaluation.figures import Call, follow
from workers.insight.attention import AttentionModel
from workers.insight.spoken import Spoken

FILE = Path(__file__).with_name("written_calls.yaml")


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One written call. needed: a supervisor should go in. tuned: it was read while tuning."""

    name: str
    needed: bool
    tuned: bool
    said: str


class WrittenFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    calls: list[Written]


def load() -> list[Written]:
    """All written calls."""
    return msgspec.convert(yaml.safe_load(FILE.read_text(encoding="utf-8")), WrittenFile).calls


def spoken(call: Written) -> list[Spoken]:
    """Its turns with times."""
    lines = [line.strip().partition(" ") for line in call.said.strip().splitlines()]
    return pace.spoken((who == "c", text) for who, _, text in lines)


def sets(model: AttentionModel) -> dict[str, list[Call]]:
    """Those read while tuning and those kept apart, judged; needed counts as the lowest rating, others as the best."""
    out: dict[str, list[Call]] = {"written-read": [], "written-apart": []}
    for call in load():
        rating = 1.0 if call.needed else 5.0
        name = "written-read" if call.tuned else "written-apart"
        out[name].append(Call(rating, None, *follow(spoken(call), model), []))
    return out
