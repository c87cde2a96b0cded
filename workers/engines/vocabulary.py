"""Puts the names, products and places of a queue in the place of the words that the engine heard for them.

An engine that does not know "Okafor" hears "oka for". A name takes the place of words that sound like it (Metaphone
keys) and are spelled nearly like it. The same final and the same list give the same bytes. It wraps a model as another
model, whose identity names the list.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec
from jellyfish import damerau_levenshtein_distance, metaphone

from state.types import Word
from workers.engines.audio import spread_words
from workers.engines.base import Final, Model, Recogniser, Snapshot, begun

LEAST_LETTERS, LEAST_SOUNDS = 5, 3
"""Least letters and least sounds of a name: shorter names sound like too many other words."""
FAR = 0.4
"""At most this share of a name's letters may differ if the sounds are the same."""
NEAR, LONG_SOUNDS = 0.25, 5
"""The same if one sound differs or is missing; for a name with so many sounds."""
SURE = 0.9
"""If all words have this confidence, the engine is right, unless they sound the same and differ by NEAR at most."""
SPLIT = 0.15
"""The same if the engine heard more words than the name has: "have a look" is not Havenlock."""
MORE_WORDS = 2
"""Most words that the engine may hear beyond the number in the name."""

_LETTERS = re.compile(r"[^\W\d_]+")
_EDGES = re.compile(r"^(\W*)(.*?)((?:'s)?\W*)$", re.DOTALL)


class _Name(msgspec.Struct, frozen=True):
    text: str
    letters: str
    sounds: str


class Vocabulary:
    """A list that is ready to use; safe to share between threads."""

    def __init__(self, names: Sequence[str]) -> None:
        """names: in their right spelling. Names that are too short to be told by their sound do nothing."""
        self.identity = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
        self._by_length: dict[int, list[_Name]] = defaultdict(list)
        self._own = {letters: text for text in names if (letters := _letters(text))}
        self._most_words = 0
        for text in names:
            letters = _letters(text)
            sounds = metaphone(letters)
            self._most_words = max(self._most_words, len(text.split()) + MORE_WORDS)
            if len(letters) >= LEAST_LETTERS and len(sounds) >= LEAST_SOUNDS:
                self._by_length[len(letters)].append(_Name(text, letters, sounds))

    def correct(self, words: Sequence[Word]) -> list[Word]:
        """The words with names in their places. A name's time is that of the words it replaces."""
        out: list[Word] = []
        at = 0
        while at < len(words):
            count, name = self._best(words[at : at + self._most_words])
            heard = words[at : at + count]
            right = name is not None and [_letters(word.word) for word in heard] == name.text.lower().split()
            out += heard if name is None or right else _written(name, heard)
            at += count
        return out

    def correct_text(self, text: str) -> str:
        """The same for text without times."""
        words = [Word(word, 0.0, 0.0, None) for word in text.split()]
        corrected = self.correct(words)
        return text if corrected == words else " ".join(word.word for word in corrected)

    def _best(self, words: Sequence[Word]) -> tuple[int, _Name | None]:
        """The number of first words that are a name, and the nearest name; (1, None) for no name."""
        best: tuple[float, int, _Name] | None = None
        heard = ""
        for count, word in enumerate(words, 1):
            letters = _letters(_EDGES.sub(r"\2", word.word))
            if not letters or (count > 1 and not word.word[0].isalpha()):
                break
            heard += letters
            if (own := self._own.get(heard)) is not None:
                return count, _Name(own, heard, "")
            for name in self._near(heard, words[:count]):
                distance = _distance(name, heard)
                if best is None or (distance, count, name.text) < (best[0], best[1], best[2].text):
                    best = (distance, count, name)
            if not word.word[-1].isalpha():  # a comma or a full stop parts names
                break
        return (best[1], best[2]) if best else (1, None)

    def _near(self, heard: str, words: Sequence[Word]) -> list[_Name]:
        sounds = metaphone(heard)
        sure = all(word.conf is not None and word.conf >= SURE for word in words)
        found = []
        for length in range(max(LEAST_LETTERS, len(heard) * 2 // 3), len(heard) * 3 // 2 + 1):
            for name in self._by_length.get(length, ()):
                if len(words) > len(name.text.split()) + MORE_WORDS or sounds[:1] != name.sounds[:1]:
                    continue
                far = _distance(name, heard)
                if len(words) > len(name.text.split()) and far > SPLIT:
                    continue
                same = sounds == name.sounds and far <= (NEAR if sure else FAR)
                nearly = (
                    not sure
                    and len(name.sounds) >= LONG_SOUNDS
                    and far <= NEAR
                    and damerau_levenshtein_distance(sounds, name.sounds) == 1
                )
                if same or nearly:
                    found.append(name)
        return found


class VocabularyModel:
    """A model whose finals and partials have the names of a list."""

    def __init__(self, model: Model, vocabulary: Vocabulary) -> None:
        self._model, self._vocabulary = model, vocabulary
        self.identity = f"{model.identity}+names:{vocabulary.identity}"
        self.display_name = model.display_name
        self.fork_safe = model.fork_safe
        self.partials_cost = model.partials_cost

    def warm_up(self, rate: int) -> Iterator[None]:
        """See Model.warm_up."""
        return self._model.warm_up(rate)

    def recogniser(self, rate: int, snapshot: Snapshot | None, open_from: int = 0) -> VocabularyRecogniser:
        """See Model.recogniser."""
        begins = msgspec.structs.replace(begun(self.identity, snapshot, open_from), model=self._model.identity)
        inner = self._model.recogniser(rate, begins, open_from)
        return VocabularyRecogniser(inner, self._vocabulary, self.identity)


class VocabularyRecogniser:
    """Another recogniser, corrected. It adds no state of its own."""

    def __init__(self, recogniser: Recogniser, vocabulary: Vocabulary, identity: str) -> None:
        self._recogniser, self._vocabulary, self._identity = recogniser, vocabulary, identity

    def accept(self, pcm: bytes, at: int) -> list[Final]:
        """See Recogniser.accept."""
        return [self._corrected(final) for final in self._recogniser.accept(pcm, at)]

    def replay(self, pcm: bytes, at: int) -> None:
        """See Recogniser.replay."""
        self._recogniser.replay(pcm, at)

    def flush(self) -> list[Final]:
        """See Recogniser.flush."""
        return [self._corrected(final) for final in self._recogniser.flush()]

    def snapshot(self, want_partial: bool) -> Snapshot:
        """See Recogniser.snapshot."""
        found = self._recogniser.snapshot(want_partial)
        partial = self._vocabulary.correct_text(found.partial)
        return msgspec.structs.replace(found, model=self._identity, partial=partial)

    @property
    def wordless_seconds(self) -> float:
        """See Recogniser.wordless_seconds."""
        return self._recogniser.wordless_seconds

    @property
    def memory_bytes(self) -> int:
        """See Recogniser.memory_bytes."""
        return self._recogniser.memory_bytes

    def _corrected(self, final: Final) -> Final:
        words = self._vocabulary.correct(final.words)
        if words == final.words:
            return final
        return msgspec.structs.replace(final, text=" ".join(word.word for word in words), words=words)


def _letters(text: str) -> str:
    return "".join(_LETTERS.findall(text.lower()))


def _distance(name: _Name, heard: str) -> float:
    return damerau_levenshtein_distance(name.letters, heard) / len(name.letters)


def _written(name: _Name, heard: Sequence[Word]) -> list[Word]:
    """A name's words in the time of the heard words, with the signs around these."""
    before, after = _EDGES.sub(r"\1", heard[0].word), _EDGES.sub(r"\3", heard[-1].word)
    confidences = [word.conf for word in heard if word.conf is not None]
    conf = min(confidences) if len(confidences) == len(heard) else None
    spread = spread_words(before + name.text + after, heard[0].start, heard[-1].end)
    return [Word(word.word, word.start, word.end, conf) for word in spread]
