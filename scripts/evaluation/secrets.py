"""Measures redaction on made-up speech: precision and recall by word, for each kind of secret and for look-alikes."""

from __future__ import annotations

from scripts.evaluation.spoken_secrets import Case, cases
from scripts.evaluation.stats import shown, table
from workers.insight.redaction.finding import find
from workers.insight.words.spoken import Spoken


def utterances(case: Case) -> tuple[list[Spoken], dict[str, set[int]]]:
    """A case as utterances, with the indices of secret words by utterance id."""
    said: list[Spoken] = []
    secret: dict[str, set[int]] = {}
    for index, (track, text) in enumerate(case.said):
        words = text.split()
        id_ = f"{track}:{index}"
        secret[id_] = {i for i, word in enumerate(words) if "{" in word and word != "{uh}"}
        plain = " ".join(words).replace("{", "").replace("}", "")
        said.append(Spoken(id_, track, index * 5.0, index * 5.0 + 4.0, plain))
    return said, secret


def measure(some: list[Case]) -> dict[str, tuple[int, int, int]]:
    """By kind: the numbers of words rightly masked, wrongly masked, and missed."""
    counts: dict[str, tuple[int, int, int]] = {}
    for case in some:
        said, secret = utterances(case)
        masked: dict[str, set[int]] = {u.id: set() for u in said}
        for mask in find(said):
            masked[mask.utterance_id].update(range(mask.first, mask.last + 1))
        for utterance in said:  # a hesitation within a number is neither secret nor worth showing
            masked[utterance.id] -= {i for i, w in enumerate(utterance.text.split()) if w == "uh"}
        right = wrong = missed = 0
        for id_, true in secret.items():
            right += len(true & masked[id_])
            wrong += len(masked[id_] - true)
            missed += len(true - masked[id_])
        a, b, c = counts.get(case.kind, (0, 0, 0))
        counts[case.kind] = (a + right, b + wrong, c + missed)
    return counts


def report(seed: int = 1, per_kind: int = 100) -> str:
    """The table, by kind and over all."""
    counts = measure(cases(seed, per_kind))
    counts["all"] = tuple(sum(c[i] for c in counts.values()) for i in range(3))  # type: ignore[assignment]
    rows = []
    for kind, (right, wrong, missed) in counts.items():
        precision = right / (right + wrong) if right + wrong else None
        recall = right / (right + missed) if right + missed else None
        rows.append([kind, str(right), str(wrong), str(missed), shown(precision), shown(recall)])
    return table(["redaction, generated", "masked", "wrongly", "missed", "precision", "recall"], rows)
