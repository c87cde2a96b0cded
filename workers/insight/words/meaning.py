"""How alike two wordings are in meaning, by a table of the meanings of word pieces from wordllama's wheel.

Only the wheel's two files are read, from disk: 32,000 vectors of 256 numbers, and how words are cut into pieces. A
wording's vector is the weighted mean of its words' vectors; rare words tell more than common ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

TABLE, PIECES = "weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"
HEADER_BYTES = 8
"""Bytes of a safetensors file's header: the length of the JSON after it."""
COMMON = 3000.0
"""Place in the table (its pieces stand by frequency) at which a word counts half as much as a rare one."""
LONGEST_WORD = 40
"""Most letters of a word that count."""
REMEMBERED = 20_000

Vector = NDArray[np.float64]


class Meanings:
    """The table. Free of state but for a cache; safe to share."""

    def __init__(self) -> None:
        """Raises OSError if the wheel is not there."""
        folder = _folder()
        self._pieces: Any = Tokenizer.from_file(str(folder / PIECES))
        self._table = _table(folder / TABLE)
        self._word = lru_cache(maxsize=REMEMBERED)(self._look_up)

    def words(self, forms: Sequence[str]) -> Vector:
        """Weighted vectors of words, a row each."""
        return np.array([self._word(form) for form in forms]) if forms else np.zeros((0, self._table.shape[1]))

    def of(self, forms: Sequence[str]) -> Vector:
        """Vector of a wording, of length 1; zeros for one that says nothing."""
        return unit(self.words(forms).sum(axis=0))

    def _look_up(self, form: str) -> Vector:
        ids = self._pieces.encode(form[:LONGEST_WORD], add_special_tokens=False).ids
        if not ids:
            return np.zeros(self._table.shape[1])
        weight = min(1.0, max(ids) / (max(ids) + COMMON))
        vector = unit(self._table[ids].astype(np.float64).sum(axis=0))
        weighted: Vector = weight * vector
        return weighted


@lru_cache(maxsize=1)
def load() -> Meanings:
    """The table, once a process (about 0.2 s, 20 MB)."""
    return Meanings()


def unit(vector: Vector) -> Vector:
    """The vector at length 1; zeros stay."""
    length = float(np.sqrt((vector * vector).sum()))
    scaled: Vector = vector / length if length else vector
    return scaled


def _folder() -> Path:
    found = find_spec("wordllama")
    if found is None or found.origin is None:
        raise FileNotFoundError("wordllama is not installed")
    return Path(found.origin).parent


def _table(path: Path) -> NDArray[np.float16]:
    data = path.read_bytes()
    size = int.from_bytes(data[:HEADER_BYTES], "little")
    about = json.loads(data[HEADER_BYTES : HEADER_BYTES + size])["embedding.weight"]
    begin, end = (HEADER_BYTES + size + offset for offset in about["data_offsets"])
    return np.frombuffer(data[begin:end], np.float16).reshape(about["shape"])


WINDOWS = (4, 6, 9, 13)
"""Words of a stretch to compare with an example; a short wording is also compared as a whole."""
WHOLE = 16
MOST_WORDS = 200
"""Most words of an utterance; later ones do not count."""


def most_alike(forms: Sequence[str], examples: Vector) -> tuple[Vector, list[tuple[int, int]]]:
    """For each example (a row of length 1), how alike the most alike stretch of `forms` is, and from where to where."""
    rows = load().words(forms[:MOST_WORDS])
    sums = np.vstack([np.zeros((1, examples.shape[1])), rows.cumsum(axis=0)])
    count = len(rows)
    spans = [(0, count)] if count <= WHOLE else []
    spans += [(at, at + size) for size in WINDOWS if size < count for at in range(count - size + 1)]
    begins, ends = np.array(spans).T
    stretches = sums[ends] - sums[begins]
    lengths = np.sqrt((stretches * stretches).sum(axis=1, keepdims=True))
    likeness = np.round(stretches / np.where(lengths, lengths, 1.0) @ examples.T, 4)
    best = likeness.argmax(axis=0)
    return likeness.max(axis=0), [spans[at] for at in best]
