"""The effect of judgements: rated dialogues stand for judged calls. How well are unseen ones ranked after so many?

A supervisor who judges as the raters did says of dialogues below BAD_BELOW that they were right to look at. Each of
DRAWS draws judges some calls, one after the other in a random order. UNSEEN others show how well calls are ranked.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scripts.evaluation import dialogues
from scripts.evaluation.figures import BAD_BELOW
from scripts.evaluation.pace import spoken
from scripts.evaluation.stats import table
from workers.insight.attention import AttentionModel
from workers.insight.models import SHIPPED
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.learning.fitting import Judged, ended_odds, live_odds, seen, shipped
from workers.learning.lessons import learn, ranked

JUDGED = (0, 100, 300, 700)
UNSEEN = 300
DRAWS = 20

Course = dict[str, dict[str, float]]
"""By number of judged calls: AUCs (live, ended), and the share of the draws that took new weights."""


def load(path: Path, analyzer: CallAnalyzer) -> list[Judged]:
    """The rated sessions of a file. Raises ValueError as dialogues.load does."""
    attention = AttentionModel(analyzer)
    found = []
    for session in dialogues.load(path):
        if session.rating is not None:
            said = spoken((user, text) for user, text, _ in session.turns)
            found.append(seen("", session.rating < BAD_BELOW, said, attention))
    return [one for one in found if one is not None]


def course(calls: list[Judged]) -> Course:
    """How the ranking changes with judgements. Raises ValueError for too few calls."""
    if len(calls) < JUDGED[-1] + UNSEEN:
        raise ValueError(f"--learn needs {JUDGED[-1] + UNSEEN} rated dialogues, here are {len(calls)}")
    draw = np.random.default_rng(1)
    sums: dict[str, list[tuple[float, ...]]] = {str(count): [] for count in JUDGED}
    for _ in range(DRAWS):
        order = draw.permutation(len(calls))
        unseen = [calls[at] for at in order[-UNSEEN:]]
        right = np.array([call.right for call in unseen])
        for count in JUDGED:
            model, (lesson,) = learn([calls[at] for at in order[:count]], SHIPPED)
            by = model.fitted or shipped()
            taken = [one is not None and one.taken == "weights" for one in (lesson.live, lesson.ended)]
            sums[str(count)].append(
                (ranked(live_odds(unseen, by), right), ranked(ended_odds(unseen, by), right), *taken)
            )
    names = ("live_auc", "ended_auc", "live_taken", "ended_taken")
    return {
        count: {
            name: round(float(np.mean(column)), 4) for name, column in zip(names, zip(*found, strict=True), strict=True)
        }
        for count, found in sums.items()
    }


def report(courses: dict[str, Course]) -> str:
    """A table for people."""
    head = ["AUC of bad calls after judged calls", *map(str, JUDGED)]
    rows = []
    for name, found in courses.items():
        for told, auc, taken in (("live", "live_auc", "live_taken"), ("verdict", "ended_auc", "ended_taken")):
            cells = [f"{found[str(n)][auc]:.3f} ({found[str(n)][taken]:.0%} taken)" for n in JUDGED]
            rows.append([f"{name} {told}", *cells])
    return table(head, rows)
