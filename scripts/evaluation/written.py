"""Attention on calls written for this project (written_calls.yaml): read while tuning, and kept apart.

Text only: turns follow each other by half a second at 2.8 words a second, an ordinary pace on the telephone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
import yaml

from scripts.evaluation.calls import simulate
from scripts.evaluation.stats import auc, shown, table
from workers.insight.attention import AttentionModel
from workers.insight.spoken import Spoken

FILE = Path(__file__).with_name("written_calls.yaml")
WORDS_A_SECOND = 2.8
PAUSE_SECONDS = 0.5


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
    out: list[Spoken] = []
    at = 0.0
    for index, line in enumerate(call.said.strip().splitlines()):
        who, _, text = line.strip().partition(" ")
        track: Literal["customer", "agent"] = "customer" if who == "c" else "agent"
        end = at + max(1.0, len(text.split()) / WORDS_A_SECOND)
        out.append(Spoken(f"{track}:{index}", track, round(at, 2), round(end, 2), text))
        at = end + PAUSE_SECONDS
    return out


def report(model: AttentionModel) -> str:
    """Calls raised by group, and how well the peak of attention sorts those needed before the others."""
    rows: list[list[str]] = []
    for tuned in (True, False):
        group = [call for call in load() if call.tuned == tuned]
        outcomes = [(call.needed, simulate(spoken(call), spoken(call)[-1].end, model)) for call in group]
        needed = [outcome for need, outcome in outcomes if need]
        others = [outcome for need, outcome in outcomes if not need]
        rows.append(
            [
                "read while tuning" if tuned else "kept apart",
                f"{sum(bool(o.raised) for o in needed)}/{len(needed)}",
                f"{sum(bool(o.raised) for o in others)}/{len(others)}",
                shown(auc([o.peak for o in needed], [o.peak for o in others])),
            ]
        )
    return table(["attention, written calls", "needed and raised", "others raised", "AUC of peak"], rows)
