"""Rules by examples: finds wording like what a supervisor gave as examples (meaning.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from workers.insight.words import meaning
from workers.insight.words.tokens import tokenise


class Exemplified(Protocol):
    """A rule with examples. alike: from this likeness on it is a hit."""

    @property
    def id(self) -> str: ...

    @property
    def examples(self) -> list[str] | None: ...

    @property
    def alike(self) -> float: ...


class Alike:
    """Finds wording like the examples of some rules. Raises OSError if the table of meanings is not there."""

    def __init__(self, rules: Sequence[Exemplified]) -> None:
        given = [(rule, example) for rule in rules for example in rule.examples or []]
        table = meaning.load()
        self._rules = [rule for rule, _ in given]
        self._examples = np.array([table.of(tokenise(example).forms) for _, example in given])

    def find(self, forms: Sequence[str]) -> list[tuple[str, int, int]]:
        """Ids of the rules with an example like these words, each with the span [begin, end) of the words that are."""
        if not forms:
            return []
        likeness, spans = meaning.most_alike(forms, self._examples)
        best: dict[str, tuple[float, int, int]] = {}
        for rule, alike, (begin, end) in zip(self._rules, likeness, spans, strict=True):
            if alike >= rule.alike and alike > best.get(rule.id, (0.0, 0, 0))[0]:
                best[rule.id] = float(alike), begin, end
        return [(rule_id, begin, end) for rule_id, (_, begin, end) in best.items()]
