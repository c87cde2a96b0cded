"""Ridge regression of the customer's satisfaction on words and pairs of words, of the turn and of the answer before it.

A language model wrote the dialogues (dialogues/*.txt) for this project. It saw no data set and no code of ours. A title
is "# title | topic | overall N", an agent's line "a ...", a customer's "cN ..." with a rating N from 1 (very
dissatisfied) to 5. The command cross-validates by file and prints how well it tells unseen ratings.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from scripts.evaluation.figures import BAD_BELOW
from scripts.evaluation.stats import auc, pearson, shown
from scripts.training import course
from workers.insight.polarity.learned import FILE, Learned, LearnedFile, grams
from workers.insight.weights import FILE as WEIGHTS
from workers.insight.words.tokens import tokenise

DIALOGUES = Path(__file__).with_name("dialogues")
SEEN_FROM = 3
"""Least turns with a gram from which it is learned: one writer's whim is no language."""
RIDGE = 3.0
"""Penalty on the weights. 1 to 6 differ by less than .01 of any AUC."""
LEAST_WEIGHT = 0.002
"""Least weight in the file. Smaller ones are left out."""

Party = Literal["customer", "agent"]


class Turn(NamedTuple):
    """A customer's turn: its dialogue's number and file, rating, grams of the agent's answer before and its own."""

    dialogue: int
    file: str
    rating: int
    grams: dict[Party, list[str]]


def digest() -> str:
    """Digest of all dialogues, so that learned.json says what it was made of."""
    told = hashlib.blake2b(digest_size=8)
    for path in sorted(DIALOGUES.glob("*.txt")):
        told.update(path.read_bytes())
    return told.hexdigest()


def load() -> list[Turn]:
    """All turns. Raises ValueError, which names the unreadable line."""
    turns: list[Turn] = []
    dialogue = 0
    for path in sorted(DIALOGUES.glob("*.txt")):
        answer: list[str] = []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            head, _, text = line.strip().partition(" ")
            if not head:
                continue
            if head == "#":
                dialogue, answer = dialogue + 1, []
            elif head == "a":
                answer = list(grams(tokenise(text).forms))
            elif head in ("c1", "c2", "c3", "c4", "c5"):
                own = list(grams(tokenise(text).forms))
                turns.append(Turn(dialogue, path.name, int(head[1]), {"customer": own, "agent": answer}))
                answer = []
            else:
                raise ValueError(f"{path.name} line {number}: neither title, agent nor rated customer: {line[:40]!r}")
    return turns


class Vocabulary:
    """The columns of the grams to learn."""

    def __init__(self, turns: list[Turn]) -> None:
        seen = Counter((party, gram) for turn in turns for party in turn.grams for gram in turn.grams[party])
        self.columns = {known: at for at, known in enumerate(sorted(k for k, n in seen.items() if n >= SEEN_FROM))}

    def matrix(self, turns: list[Turn]) -> NDArray[np.float32]:
        """A row for each turn. Each party's known grams together have a length of 1, as learned.py scales them."""
        rows = np.zeros((len(turns), len(self.columns)), np.float32)
        for row, turn in zip(rows, turns, strict=True):
            for party, said in turn.grams.items():
                known = [self.columns[party, gram] for gram in said if (party, gram) in self.columns]
                if known:
                    row[known] = len(known) ** -0.5
        return rows


def fit(rows: NDArray[np.float32], ratings: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Bias and weights. It solves the dual form, because there are fewer turns than grams."""
    bias = float(ratings.mean())
    kernel = (rows @ rows.T).astype(np.float64)
    kernel[np.diag_indices(len(rows))] += RIDGE
    return bias, rows.T @ np.linalg.solve(kernel, ratings - bias)


def satisfaction(turns: list[Turn]) -> NDArray[np.float64]:
    """Ratings 1..5 as -1..1."""
    return np.array([(turn.rating - 3) / 2 for turn in turns])


def learn(turns: list[Turn]) -> LearnedFile:
    """The model of these turns."""
    vocabulary = Vocabulary(turns)
    _, weights = fit(vocabulary.matrix(turns), satisfaction(turns))  # a reading counts from the usual, not from 3
    learned: dict[Party, dict[str, float]] = {"customer": {}, "agent": {}}
    for (party, gram), at in vocabulary.columns.items():
        if abs(weights[at]) >= LEAST_WEIGHT:
            learned[party][gram] = round(float(weights[at]), 3)
    return LearnedFile(digest(), learned["customer"], learned["agent"])


def by_others(turns: list[Turn]) -> dict[str, Learned]:
    """For each file, a model that has seen all other files."""
    out: dict[str, Learned] = {}
    for file in sorted({turn.file for turn in turns}):
        out[file] = Learned(learn([turn for turn in turns if turn.file != file]))
        print(f"train: without {file}", file=sys.stderr, flush=True)
    return out


def report(turns: list[Turn], unseen: dict[str, Learned]) -> str:
    """How well models tell the ratings in files that they have not seen."""
    said = [_reading(turn, unseen[turn.file]) for turn in turns]
    bad = [-s for s, turn in zip(said, turns, strict=True) if turn.rating < BAD_BELOW]
    good = [-s for s, turn in zip(said, turns, strict=True) if turn.rating >= BAD_BELOW]
    r = pearson([float(turn.rating) for turn in turns], said)
    head = f"{turns[-1].dialogue} dialogues, {len(turns)} turns, {len(bad)} of them dissatisfied"
    return f"{head}\nunseen files: AUC of turns {shown(auc(bad, good))}, r {shown(r)}"


def _reading(turn: Turn, model: Learned) -> float:
    return model.of("customer", turn.grams["customer"]) + model.of("agent", turn.grams["agent"])


def main(argv: list[str]) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="scripts/train", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only cross-validate; write nothing")
    options = parser.parse_args(argv)
    try:
        turns = load()
    except (OSError, ValueError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    unseen = by_others(turns)
    print(report(turns, unseen))
    dialogues = course.load(DIALOGUES)
    seen = [
        one
        for file, model in unseen.items()
        for one in course.see([rated for rated in dialogues if rated.file == file], model)
    ]
    weights = course.fit(seen, digest())
    if options.check:
        return 0
    file = learn(turns)
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n")
    WEIGHTS.write_bytes(msgspec.json.format(msgspec.json.encode(weights), indent=1) + b"\n")
    print(f"{len(file.customer) + len(file.agent)} weights in {FILE.name}, {FILE.stat().st_size // 1000} kB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
