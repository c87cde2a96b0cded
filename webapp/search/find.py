"""Finds the calls that hold given words, in their transcripts (as far as people may see them) and their metadata."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from state.texts import known
from state.types import ScoredUtterance
from state.views import CallRow
from webapp.schemas.calls import ApiFound
from webapp.search import sounding
from webapp.search.transcripts import Transcripts


def words(text: str) -> list[str]:
    """The words to look for, in small letters."""
    return text.lower().split()


def holding(
    transcripts: Transcripts, rows: list[CallRow], wanted: list[str], sounding_like: bool = False
) -> list[CallRow]:
    """The `rows` in which all words occur, anywhere in the call, also as parts of words.

    sounding_like: a long word also counts if somebody said something that sounds like it.
    """
    sought = [(word.encode(errors="replace"), sounding.pattern(word) if sounding_like else None) for word in wanted]
    found = []
    for row, said in zip(rows, transcripts.of(rows), strict=True):
        texts = [*said, "\n".join(known(row)).lower().encode(errors="replace")]
        if all(_occurs(word, like, texts, said) for word, like in sought):
            found.append(row)
    return found


def heard_in(wanted: list[str]) -> Callable[[str], bool]:
    """Whether a text of the archive has all words, or for long ones words that sound like them."""
    sought = [(word.encode(errors="replace"), sounding.pattern(word)) for word in wanted]

    def holds(text: str) -> bool:
        small = text.lower().encode(errors="replace")
        return all(_occurs(word, like, [small], [small]) for word, like in sought)

    return holds


def places(transcripts: Iterable[list[ScoredUtterance]], rows: list[CallRow], wanted: list[str]) -> dict[str, ApiFound]:
    """Where the words, or what sounds like them, were said on each of these calls, by call_id."""
    found = {row.call_id: sounding.place(said, wanted) for row, said in zip(rows, transcripts, strict=True)}
    return {name: ApiFound(hit.id, hit.track, hit.start, hit.text) for name, hit in found.items() if hit is not None}


def _occurs(word: bytes, like: re.Pattern[bytes] | None, texts: list[bytes], said: list[bytes]) -> bool:
    return any(word in text for text in texts) or (
        like is not None and any(like.search(sounding.sounds(text)) for text in said)
    )
