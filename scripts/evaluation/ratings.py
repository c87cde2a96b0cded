"""Single texts that people rated: does polarity go with the mean rating? (Pearson's r)

File form: "id <tab> mean rating <tab> text" (as the sets of VADER's authors) or "mean rating <tab> text".
"""

from __future__ import annotations

from pathlib import Path

from scripts.evaluation.scorers import as_recognised, plain_scorers
from scripts.evaluation.stats import pearson, shown, table
from workers.insight.polarity.analyzer import CallAnalyzer


def load(path: Path) -> list[tuple[float, str]]:
    """(rating, text) of each line. Raises ValueError, which names the unreadable line."""
    out: list[tuple[float, str]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if not line.strip():
            continue
        cells = line.split("\t")
        try:
            rating = float(cells[-2])
        except (IndexError, ValueError) as error:
            raise ValueError(f"{path.name} line {number}: expected [id,] rating, text by tab") from error
        out.append((rating, as_recognised(cells[-1])))
    return out


def report(paths: list[Path], analyzer: CallAnalyzer) -> str:
    """A table with one row for each file."""
    baselines = plain_scorers()
    rows: list[list[str]] = []
    for path in paths:
        cases = load(path)
        ratings = [rating for rating, _ in cases]
        ours = pearson(ratings, [analyzer.score(text, "other").polarity for _, text in cases])
        plain = [pearson(ratings, [score(text) for _, text in cases]) for score in baselines.values()]
        rows.append([path.stem, str(len(cases)), shown(ours), *(shown(r) for r in plain)])
    return table(["r with raters", "texts", "ours", *baselines], rows)
