"""Rated dialogues: are dissatisfied turns and bad dialogues found?

File form (User Satisfaction Simulation): lines of speaker, text, action, ratings by tab, ratings by comma;
sessions apart by an empty line; the user's line OVERALL rates the whole dialogue.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from scripts.evaluation.scorers import as_recognised, plain_scorers
from scripts.evaluation.stats import auc, auc_error, pearson, shown, table
from workers.insight.analyzer import CallAnalyzer
from workers.insight.context import ContextScorer, Mood, overall
from workers.insight.spoken import Spoken

DISSATISFIED_BELOW = 2.5
"""Mean of the raters (1..5) below which a turn is dissatisfied, a dialogue bad."""
GOALS = {"MWOZ": (0.72, 0.75), "ReDial": (0.80, 0.75)}
"""(turn AUC, dialogue AUC) to reach, by file name without its ending."""
COLUMNS = ("ours", "ours in context", "TextBlob", "VADER")


class Session(NamedTuple):
    """turns: (is the user's, text, mean rating or None). rating: of the whole dialogue."""

    turns: list[tuple[bool, str, float | None]]
    rating: float | None


def load(path: Path) -> list[Session]:
    """Read a file. Raises ValueError naming the line that cannot be read."""
    sessions: list[Session] = []
    turns: list[tuple[bool, str, float | None]] = []
    rating: float | None = None
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], start=1):
        if not line.strip():
            if turns:
                sessions.append(Session(turns, rating))
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
    return sessions


def scores(session: Session, analyzer: CallAnalyzer, scorer: ContextScorer) -> list[dict[str, float]]:
    """For each user turn the polarity by each column."""
    baselines = plain_scorers()
    mood = Mood()
    out: list[dict[str, float]] = []
    for index, (user, text, _) in enumerate(session.turns):
        track = "customer" if user else "agent"
        spoken = Spoken(f"{track}:{index}", track, float(index), float(index + 1), text)
        sentiment, mood = scorer.step(mood, spoken)
        if user:
            row = {name: score(text) for name, score in baselines.items()}
            row["ours"] = analyzer.score(text, "customer").polarity
            row["ours in context"] = sentiment.polarity
            out.append(row)
    return out


class Judged(NamedTuple):
    """Turns and dialogues with their rating and the polarity by column; dialogue columns have "ours overall"
    too."""

    turns: list[tuple[float, dict[str, float]]]
    dialogues: list[tuple[float, dict[str, float]]]


def judge(sessions: list[Session], analyzer: CallAnalyzer) -> list[Judged]:
    """Score every session; one entry a session, in order."""
    scorer = ContextScorer(analyzer)
    out: list[Judged] = []
    for session in sessions:
        rows = scores(session, analyzer, scorer)
        ratings = [rating for user, _, rating in session.turns if user]
        turns = [(rating, row) for rating, row in zip(ratings, rows, strict=True) if rating is not None]
        dialogues: list[tuple[float, dict[str, float]]] = []
        if session.rating is not None and rows:
            means = {name: sum(row[name] for row in rows) / len(rows) for name in COLUMNS}
            means["ours overall"] = overall([row["ours in context"] for row in rows]) or 0.0
            dialogues.append((session.rating, means))
        out.append(Judged(turns, dialogues))
    return out


def _aucs(
    cases: list[tuple[float, dict[str, float]]], columns: tuple[str, ...]
) -> tuple[dict[str, float | None], int, int]:
    bad = [row for rating, row in cases if rating < DISSATISFIED_BELOW]
    good = [row for rating, row in cases if rating >= DISSATISFIED_BELOW]
    return {c: auc([-r[c] for r in bad], [-r[c] for r in good]) for c in columns}, len(bad), len(good)


def report(paths: list[Path], analyzer: CallAnalyzer) -> str:
    """The table for all files: tuned-on half (even sessions), other half, all."""
    columns = (*COLUMNS, "ours overall")
    rows: list[list[str]] = []
    for path in paths:
        judged = judge(load(path), analyzer)
        for what, index in (("turns", 0), ("dialogues", 1)):
            for part, some in (("even", judged[0::2]), ("odd", judged[1::2]), ("all", judged)):
                cases = [case for entry in some for case in entry[index]]
                values, bad, good = _aucs(cases, columns if index else COLUMNS)
                best = values["ours overall"] if index else values["ours in context"]
                goal = GOALS.get(path.stem, (None, None))[index] if part == "all" else None
                error = None if best is None else auc_error(best, bad, good)
                rows.append(
                    [f"{path.stem} {what}, {part}", f"{bad}/{bad + good}"]
                    + [shown(values.get(c)) for c in columns]
                    + [shown(error), shown(goal, 2)]
                )
            cases = [case for entry in judged for case in entry[index]]
            rs = {c: pearson([r for r, _ in cases], [row.get(c, 0.0) for _, row in cases]) for c in columns}
            rows.append(
                [
                    f"{path.stem} {what}, r with raters",
                    str(len(cases)),
                    *(shown(rs[c]) for c in columns),
                    "",
                    "",
                ]
            )
    return table(["ROC AUC of", "bad/all", *columns, "s.e.", "goal"], rows)
