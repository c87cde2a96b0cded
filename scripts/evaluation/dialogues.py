"""Rated dialogues: does Earshot find dissatisfied turns and bad dialogues?

File form (User Satisfaction Simulation): lines of speaker, text, action and ratings, with tabs between. Commas part
ratings, empty lines part dialogues. The user's line OVERALL rates the whole dialogue.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from scripts.evaluation.figures import BAD_BELOW, Call, follow
from scripts.evaluation.pace import spoken
from scripts.evaluation.scorers import as_recognised, plain_scorers
from scripts.evaluation.stats import auc, shown, table
from workers.insight.attention import AttentionModel
from workers.insight.context import ContextScorer, Mood, overall
from workers.insight.polarity.analyzer import CallAnalyzer


class Dialogue(NamedTuple):
    """turns: (is the user's, text, mean rating or None). rating: of the whole dialogue."""

    turns: list[tuple[bool, str, float | None]]
    rating: float | None


def load(path: Path) -> list[Dialogue]:
    """Read a file. Raises ValueError, which names the unreadable line."""
    dialogues: list[Dialogue] = []
    turns: list[tuple[bool, str, float | None]] = []
    rating: float | None = None
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], start=1):
        if not line.strip():
            if turns:
                dialogues.append(Dialogue(turns, rating))
            turns, rating = [], None
            continue
        cells = line.split("\t")
        if len(cells) < 2:
            raise ValueError(f"{path.name} line {number}: expected speaker, text, action, ratings by tab")
        try:
            rates = [float(r) for r in cells[3].split(",") if r.strip()] if len(cells) > 3 else []
        except ValueError as error:
            raise ValueError(f"{path.name} line {number}: ratings are not numbers: {cells[3]!r}") from error
        mean = sum(rates) / len(rates) if rates else None
        if cells[1].strip() == "OVERALL":
            rating = mean
        else:
            turns.append((cells[0].upper() in ("USER", "CUSTOMER"), as_recognised(cells[1]), mean))
    return dialogues


def calls(path: Path, analyzer: CallAnalyzer, model: AttentionModel) -> list[Call]:
    """The file's dialogues, judged as calls at an ordinary pace. Raises ValueError as `load` does."""
    return [judge(dialogue, ContextScorer(analyzer), model) for dialogue in load(path)]


def judge(dialogue: Dialogue, scorer: ContextScorer, model: AttentionModel) -> Call:
    """Judge one dialogue as if people spoke it."""
    said = spoken((user, text) for user, text, _ in dialogue.turns)
    mood = Mood()
    polarities: list[float] = []
    for utterance in said:
        sentiment, mood = scorer.step(mood, utterance)
        if utterance.party != "agent":
            polarities.append(sentiment.polarity)
    ratings = [rating for user, _, rating in dialogue.turns if user]
    turns = [(rating, value) for rating, value in zip(ratings, polarities, strict=True) if rating is not None]
    return Call(dialogue.rating, overall(polarities), *follow(said, model), turns)


def comparison(paths: list[Path], analyzer: CallAnalyzer) -> str:
    """A table of our turn AUC beside plain TextBlob's and VADER's, on the even dialogues (read), the odd, and all."""
    scorers = {"ours, words alone": lambda text: analyzer.score(text, "customer").polarity, **plain_scorers()}
    rows: list[list[str]] = []
    for path in paths:
        dialogues = load(path)
        for part, some in (("even", dialogues[0::2]), ("odd", dialogues[1::2]), ("all", dialogues)):
            rated = [(rating, text) for s in some for user, text, rating in s.turns if user and rating is not None]
            row = [f"{path.stem} {part}", f"{sum(rating < BAD_BELOW for rating, _ in rated)}/{len(rated)}"]
            for score in scorers.values():
                bad = [-score(text) for rating, text in rated if rating < BAD_BELOW]
                row.append(shown(auc(bad, [-score(text) for rating, text in rated if rating >= BAD_BELOW])))
            rows.append(row)
    return table(["turn AUC", "bad/all", *scorers], rows)
