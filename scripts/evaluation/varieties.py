"""Single utterances by variety of English and kind: complaints in many words, and words that only sound like one.

We worked with varieties-read.txt. Nobody has read varieties-apart.txt while tuning. Both have heads such as
"[irish, displeased]". Under each stand its utterances, one a line.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from scripts.evaluation.scorers import plain_scorers
from scripts.evaluation.stats import auc, shown, table
from workers.insight.evidence import UNHAPPY_BELOW
from workers.insight.polarity.analyzer import CallAnalyzer

FOLDER = Path(__file__).parent / "sets"
HALVES = ("read", "apart")
_HEAD = re.compile(r"\[(.+), (displeased|fine)\]")


class Said(NamedTuple):
    """An utterance, its variety of English, and whether its speaker is displeased."""

    kind: str
    displeased: bool
    text: str


def load(half: str) -> list[Said]:
    """The utterances of a half. Raises ValueError for a line before the first head."""
    out: list[Said] = []
    head: re.Match[str] | None = None
    for line in (FOLDER / f"varieties-{half}.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        found = _HEAD.fullmatch(line)
        head = found or head
        if head is None:
            raise ValueError(f"varieties-{half}.txt: no head before {line!r}")
        if found is None:
            out.append(Said(head[1], head[2] == "displeased", line))
    return out


def report(analyzer: CallAnalyzer) -> str:
    """A table, by kind, of the share that sounds unhappy; and the AUC of all, beside plain scorers'."""
    rows: list[list[str]] = []
    halves = [(half, load(half)) for half in HALVES]
    for displeased in (True, False):
        kinds = dict.fromkeys(s.kind for _, half in halves for s in half if s.displeased == displeased)
        for kind in kinds:
            row = [kind, "displeased" if displeased else "fine"]
            for _, half in halves:
                said = [s for s in half if s.kind == kind and s.displeased == displeased]
                low = sum(analyzer.score(s.text, "customer").polarity < UNHAPPY_BELOW for s in said)
                row.append(f"{low}/{len(said)}")
            rows.append(row)
    ours = {"ours": lambda text: analyzer.score(text, "customer").polarity, **plain_scorers()}
    for name, score in ours.items():
        row = [f"AUC, {name}", ""]
        for _, half in halves:
            values = [(s.displeased, -score(s.text)) for s in half]
            row.append(shown(auc([v for bad, v in values if bad], [v for bad, v in values if not bad])))
        rows.append(row)
    return table(["sounds unhappy", "is", *HALVES], rows)
