"""A few words of an utterance as people like to read them: one sentence, without "um", "hello" and stumbles."""

from __future__ import annotations

from workers.insight.words.tokens import FILLERS, wordset

MOST_CHARACTERS = 120
"""A line of a summary. Every score of a live call writes up to nine of them."""

WORDS_BEFORE = 6
"""Words to keep before the important ones, if a sentence is too long."""

LEAST_WORDS = 3
"""Most words of a quote that keeps its "hello"."""

_LEAD_INS = wordset(
    "hi hello hey hiya yes yeah yep oh okay ok right well so and but um uh er erm ah alright sure morning afternoon"
    " evening dear look listen because"
)
_GREETINGS = wordset("hi hello hey hiya morning afternoon evening")
_STARTS = wordset("i i'm i'd i've i'll it's it this my we we're we've so um uh er yeah yes")
_DIGITS = wordset("zero oh one two three four five six seven eight nine double")
_GREETED = wordset("morning afternoon evening")
_STUTTERED = wordset("i it the a we you they he she there that's it's is to in on so no and what this that")
_JOINING = wordset("if when while that which who what where so and but or because as once unless until then think sure")
_SUBJECTS = wordset(
    "i i'm i've i'll i'd we we're we've we'll you you'll you'd it'll it that's he'll she'll they'll shall"
)
_ENDS = (".", "?", "!", "…")


def quote(text: str, first: int, last: int, from_first: bool = False) -> str:
    """The sentence of `text` that holds its whitespace words `first` to `last`, at most MOST_CHARACTERS long.

    from_first: begin at `first` if a statement of its own begins there.
    """
    words = text.split()
    alone = first > 0 and len(words) - first > LEAST_WORDS
    if from_first and alone and _plain(words[first - 1]) not in _JOINING and _plain(words[first]) in _SUBJECTS:
        text, first, last = " ".join(words[first:]), 0, last - first
        words = text.split()
    start, end = first, last + 1
    while start > 0 and not words[start - 1].endswith(_ENDS):
        start -= 1
    while end < len(words) and not words[end - 1].endswith(_ENDS):
        end += 1
    if len(" ".join(words[start:end])) > MOST_CHARACTERS:
        start = max(start, first - WORDS_BEFORE)
    begins = start == 0 or words[start - 1].endswith(_ENDS)
    said = _smooth(_without_lead_in(words[start:end]) if begins else words[start:end])
    return _cut(said, "" if begins else "…")


def pair(asked: str, answered: str) -> str:
    """A question with its answer, as one quote."""
    return _cut(f"{asked} — {answered}".split(), "")


def fullest(text: str) -> int:
    """The first whitespace word of the sentence that has the most words, digits and single letters aside."""
    best, most, start, count = 0, -1, 0, 0
    words = text.split()
    for n, word in enumerate(words):
        plain = _plain(word)
        count += len(plain) > 1 and plain not in _DIGITS
        if word.endswith(_ENDS) or n == len(words) - 1:
            if count > most:
                best, most = start, count
            start, count = n + 1, 0
    return best


def _without_lead_in(words: list[str]) -> list[str]:
    """Without greetings, the name that was greeted, and "well, yes, so"."""
    at = 0
    while len(words) - at > LEAST_WORDS:
        word, after, beyond = (_plain(one) for one in words[at : at + 3])
        named = word in _GREETINGS and after not in _LEAD_INS and (after == "there" or beyond in _STARTS)
        if named or (word == "good" and after in _GREETED):
            at += 2
        elif word in _LEAD_INS:
            at += 1
        else:
            break
    return words[at:]


def _smooth(words: list[str]) -> list[str]:
    """Without hesitations, and without a small word said twice in a row."""
    out: list[str] = []
    for word in words:
        plain = _plain(word)
        if plain in FILLERS:
            out[-1:] = [one.rstrip(",") for one in out[-1:]]
            continue
        if out and plain == _plain(out[-1]) and plain in _STUTTERED:
            out.pop()
        out.append(word)
    return out


def _cut(words: list[str], before: str) -> str:
    said = before
    for word in words:
        longer = f"{said} {word}" if said not in ("", "…") else said + word
        if len(longer) >= MOST_CHARACTERS:
            return said.rstrip(",;:") + "…" if said != before else longer[: MOST_CHARACTERS - 1] + "…"
        said = longer
    return said.strip(" ,;:.")


def _plain(word: str) -> str:
    return word.strip(".,!?;:").lower()
