"""E-mail addresses and dates of birth as people say them and as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workers.insight.redaction.dictation import bare
from workers.insight.words.numerals import ORDINALS, SMALL
from workers.insight.words.tokens import FILLERS, wordset

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)*", re.IGNORECASE)
_PROVIDERS = frozenset({"gmail", "hotmail", "googlemail", "icloud", "protonmail", "btinternet"})
"""Providers that are understood without their ending ("at gmail"), being no words of their own."""
_NO_DOMAIN = frozenset({"the", "a", "this", "that", "your", "my", "our", "which", "what"})
_ENDINGS = wordset("com co uk org net edu gov io de fr ie us ca au info eu biz nz")
_SPELLING = frozenset({"dot", "underscore", "dash", "hyphen", "plus", "double", "point", "period"})
_BEFORE_ADDRESS = wordset(
    "it's its is my email mail e address at the to send on and that's that in so yes yeah okay well"
    " sure please me use under with have was a of as are you i reach contact write s"
)
MAX_LOCAL_WORDS = 24
"""Words a spelled local part may take ("j o h n dot s m i t h")."""
MAX_DOMAIN_WORDS = 5

_MONTHS = wordset(
    "january february march april may june july august september october november december jan feb"
    " mar apr jun jul aug sep sept oct nov dec"
)
_BIRTH = frozenset({"birth", "born", "birthday", "dob", "birthdate", "d.o.b"})
_WRITTEN_DATE = re.compile(r"\d{1,4}[./\-]\d{1,2}[./\-]\d{1,4}")
_WRITTEN_NUMBER = re.compile(r"\d{1,4}(st|nd|rd|th)?|['’]\d\d")
_DATE_JOINERS = frozenset({"of", "the", "in", "slash", "dash", "and", "oh", "o", "hundred", "thousand"})
BIRTH_REACH = 10
"""Words between the mention of birth and the date ("my date of birth is uh let me see the fourth ...")."""
MAX_DATE_WORDS = 9


def emails(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Word spans (first, last) of e-mail addresses in a text's whitespace words."""
    plain = [bare(word) for word in words]
    for at, word in enumerate(words):
        if _ADDRESS.search(word) and "@" in word:
            yield at, at
        elif plain[at] == "at":
            span = _spoken_address(plain, at)
            if span is not None:
                yield span


def _spoken_address(plain: list[str], at: int) -> tuple[int, int] | None:
    """The address around a spoken "at", if what follows is a domain."""
    last = _domain_end(plain, at + 1)
    if last is None or at == 0:
        return None
    first = at
    words_taken = 0
    while first > 0 and words_taken < MAX_LOCAL_WORDS:
        before = plain[first - 1]
        explained = _explained_letter(plain, first)
        if explained:
            first -= explained
            words_taken += 1
            continue
        spelled = len(before) == 1 or before in _SPELLING or before in SMALL or before.isdigit()
        joins = first < at and plain[first] in _SPELLING
        in_a_row = len(before) == 1 and first < at and len(plain[first]) == 1
        after_joiner = first >= 2 and plain[first - 2] in _SPELLING  # "tom dot john two six at"
        with_number = first < at and (plain[first] in SMALL or plain[first].isdigit())  # "john two six at"
        if before in FILLERS:
            first -= 1
        elif before in _BEFORE_ADDRESS and not joins and not in_a_row:
            break
        elif (
            spelled
            or joins
            or first == at
            or after_joiner
            or _is_word_of_name(plain, first, at)
            or (before.isalpha() and with_number)
        ):
            first -= 1
        else:
            break
        words_taken += 1
    return (first, last) if first < at else None


def _explained_letter(plain: list[str], first: int) -> int:
    """Words before `first` that explain a letter ("m as in mike" 4, "s for sugar" 3); 0 if they do not."""
    if first >= 4 and plain[first - 3 : first - 1] == ["as", "in"] and len(plain[first - 4]) == 1:
        return 4
    if first >= 3 and plain[first - 2] == "for" and len(plain[first - 3]) == 1 and plain[first - 3].isalpha():
        return 3
    return 0


def _is_word_of_name(plain: list[str], first: int, at: int) -> bool:
    """'john smith at ...': one more plain word before the last one, not a word of the sentence around."""
    return first == at - 1 and plain[first].isalpha() and plain[first - 1].isalpha()


def _domain_end(plain: list[str], at: int) -> int | None:
    """Index of the last word of a domain that begins at `at` ("gmail dot com", "example.com"), else None."""
    if at >= len(plain) or plain[at] in _NO_DOMAIN:
        return None
    if "." in plain[at] and plain[at].rsplit(".", 1)[1] in _ENDINGS:
        return at
    last: int | None = None
    for index in range(at, min(at + MAX_DOMAIN_WORDS + 4, len(plain) - 1)):
        if plain[index] in ("dot", "point", "period") and index > at and plain[index + 1] in _ENDINGS:
            last = index + 1
        elif last is not None and index > last:
            break
    if last is None and plain[at] in _PROVIDERS:
        return at
    return last


def birth_dates(words: Sequence[str], before: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Word spans of dates that birth is spoken of just before; `before`: the words said before this text."""
    plain = [bare(word) for word in before] + [bare(word) for word in words]
    offset = len(before)
    for cue, word in enumerate(plain):
        if word not in _BIRTH:
            continue
        at = cue + 1
        while at < len(plain) and at <= cue + 1 + BIRTH_REACH + offset:
            length = _date_length(plain, at)
            if length:
                if at >= offset:
                    yield at - offset, at - offset + length - 1
                break
            at += 1


def dates(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Word spans of all dates with two parts or more, whatever is spoken of."""
    plain = [bare(word) for word in words]
    at = 0
    while at < len(plain):
        length = _date_length(plain, at)
        if length:
            yield at, at + length - 1
        at += length or 1


def _date_length(plain: list[str], at: int) -> int:
    """Words a date beginning at `at` takes; 0 if none does."""
    if _WRITTEN_DATE.fullmatch(plain[at]):
        return 1
    parts, months, end = 0, 0, at
    index = at
    while index < len(plain) and index - at < MAX_DATE_WORDS:
        word = plain[index]
        if word in _MONTHS:
            months += 1
            parts += 1
            end = index + 1
        elif _is_number(word):
            parts += 1
            end = index + 1
        elif not (word in _DATE_JOINERS or word in FILLERS) or index == at:
            break
        index += 1
    return end - at if parts >= 3 or (months and parts >= 2) else 0


def _is_number(word: str) -> bool:
    return (
        word in SMALL
        or word in ORDINALS
        or bool(_WRITTEN_NUMBER.fullmatch(word))
        or ("-" in word and all(p in SMALL or p in ORDINALS for p in word.split("-")))
    )
