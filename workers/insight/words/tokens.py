"""One normal form of spoken words, so that phrases and texts meet whatever engine wrote them.

Lower case, no punctuation, contractions written out ("don't" -> "do not", also without the apostrophe),
numbers as digits ("forty five" -> "45", "third" -> "3rd"), hesitations dropped. A recogniser that writes
capitals and punctuation and one that writes neither give the same tokens.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from workers.insight.words.numerals import quantity


def wordset(words: str) -> frozenset[str]:
    """A set of words, written as one string with blanks between."""
    return frozenset(words.split())


FILLERS = frozenset({"uh", "um", "er", "erm", "uhm", "mm", "hmm", "mhm", "ah", "eh"})
"""Hesitations a recogniser may or may not write; meaning must not hang on them."""

_IRREGULAR = {
    "won't": ("will", "not"),
    "can't": ("can", "not"),
    "cannot": ("can", "not"),
    "shan't": ("shall", "not"),
    "ain't": ("is", "not"),
    "let's": ("let", "us"),
    "gonna": ("going", "to"),
    "wanna": ("want", "to"),
    "gotta": ("got", "to"),
    "y'all": ("you", "all"),
    "ma'am": ("madam",),
    "ok": ("okay",),
    "cos": ("because",),
    "cuz": ("because",),
    "nope": ("no",),
    "nah": ("no",),
    "yeah": ("yes",),
    "yep": ("yes",),
    "pls": ("please",),
    "someone": ("somebody",),
    "anyone": ("anybody",),
    "cancelled": ("canceled",),
    "cancelling": ("canceling",),
    # Scots, Irish and other spellings that transcripts keep
    "aye": ("yes",),
    "naw": ("no",),
    "nae": ("no",),
    "ye": ("you",),
    "yous": ("you",),
    "youse": ("you",),
    "naebody": ("nobody",),
    "naebody's": ("nobody", "is"),
    "telt": ("told",),
    "didnae": ("did", "not"),
    "didna": ("did", "not"),
    "dinnae": ("do", "not"),
    "doesnae": ("does", "not"),
    "cannae": ("can", "not"),
    "canny": ("can", "not"),
    "couldnae": ("could", "not"),
    "wouldnae": ("would", "not"),
    "willnae": ("will", "not"),
    "isnae": ("is", "not"),
    "wasnae": ("was", "not"),
    "wisnae": ("was", "not"),
    "havenae": ("have", "not"),
    "hasnae": ("has", "not"),
    "owt": ("anything",),
    "nowt": ("nothing",),
    "noone": ("nobody",),
}
_ENDINGS = {"'ve": "have", "'ll": "will", "'re": "are", "'m": "am", "'d": "would"}
_IS_HOSTS = wordset("it that what he she where there who how here when why this everything nothing")
_BARE = {
    bare.replace("'", ""): bare
    for bare in [
        "don't",
        "didn't",
        "doesn't",
        "won't",
        "can't",
        "couldn't",
        "wouldn't",
        "shouldn't",
        "isn't",
        "aren't",
        "wasn't",
        "weren't",
        "haven't",
        "hasn't",
        "hadn't",
        "ain't",
        "i've",
        "you've",
        "we've",
        "they've",
        "i'm",
        "you're",
        "they're",
        "that's",
        "what's",
        "let's",
        "there's",
    ]
}
"""Contractions as typed or recognised without the apostrophe; only those that are no word of their own."""

_STRIP = re.compile(r"[^\w']+")


class Tokens(NamedTuple):
    """`forms`: the normalised words. `words`: for each, the index of the whitespace word it came from."""

    forms: list[str]
    words: list[int]


@lru_cache(maxsize=20_000)
def _expand(raw: str) -> tuple[str, ...]:
    """Forms of one whitespace word; () for pure punctuation and hesitations."""
    out: list[str] = []
    for part in _STRIP.split(raw.lower().replace("’", "'")):
        word = part.strip("'_")
        word = _BARE.get(word, word)
        if not word or word in FILLERS:
            continue
        if word in _IRREGULAR:
            out.extend(_IRREGULAR[word])
        elif word.endswith("n't") and len(word) > 3:
            out.extend((word[:-3], "not"))
        elif word.endswith("'s"):
            out.extend((word[:-2], "is") if word[:-2] in _IS_HOSTS else (word,))
        else:
            for ending, full in _ENDINGS.items():
                if word.endswith(ending):
                    out.extend((word[: -len(ending)], full))
                    break
            else:
                out.append(word)
    return tuple(out)


def tokenise(text: str) -> Tokens:
    """Normalise `text`. Any string is accepted; an empty or purely punctuated one gives no tokens."""
    forms: list[str] = []
    words: list[int] = []
    for index, raw in enumerate(text.split()):
        for form in _expand(raw):
            forms.append(form)
            words.append(index)
    return _join_numbers(forms, words)


def spoken_words(text: str, tokens: Tokens, begin: int, end: int) -> str:
    """The words of `text`, as they were heard, of its tokens [begin, end); begin may lie before the text."""
    first = tokens.words[max(0, begin)]
    after = tokens.words[end] if end < len(tokens.words) else len(text.split())
    heard = text.split()[first : max(after, tokens.words[end - 1] + 1)]
    while heard and not _expand(heard[-1]):  # "um" behind the last word
        heard.pop()
    return " ".join(heard).strip(" ,.;:!?")


def _join_numbers(forms: list[str], words: list[int]) -> Tokens:
    out_forms: list[str] = []
    out_words: list[int] = []
    at = 0
    while at < len(forms):
        number = quantity(forms, at)
        form, taken = number if number else (forms[at], 1)
        out_forms.append(form)
        out_words.append(words[at])
        at += taken
    return Tokens(out_forms, out_words)
