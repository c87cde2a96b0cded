"""Word error rate of a transcript against what was said.

Both sides lose capitals, punctuation and, as is usual, hesitations ("um", "uh"). People may speak a number in
digits digit by digit or as one number. So each is spelled in every way, and the one nearest to the reference counts.
British and American spellings, and names spelled otherwise, count as errors.
"""

from __future__ import annotations

import re
from itertools import chain

from scripts.evaluation.stats import edit_distance

FILLERS = {"um", "uh", "ah", "er", "erm", "hm", "hmm", "mm", "uhm"}
"""Hesitations, which both sides leave out."""

ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
CURRENCY = {"£": "pounds", "$": "dollars", "€": "euros"}
SAME = {"ok": "okay", "mr": "mister", "%": "percent"}
"""Two ways to write one word."""

TOKEN = re.compile(r"[£$€]?\d[\d,]*(?:\.\d+)?(?:st|nd|rd|th)?|%|[a-z]+(?:'[a-z]+)*")


def errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """(word errors, words of the reference)."""
    said = [word for spellings in _tokens(reference) for word in spellings[0]]
    tokens = _tokens(hypothesis)
    chosen = [spellings[0] for spellings in tokens]
    best = edit_distance(said, list(chain.from_iterable(chosen)))
    for place, spellings in enumerate(tokens):
        for spelling in spellings[1:]:
            trial = [*chosen[:place], spelling, *chosen[place + 1 :]]
            distance = edit_distance(said, list(chain.from_iterable(trial)))
            if distance < best:
                best, chosen = distance, trial
    return best, len(said)


def _tokens(text: str) -> list[list[list[str]]]:
    """The ways to spell out each token, each as a list of words."""
    plain = text.lower().replace("’", "'")
    found = [SAME.get(token, token) for token in TOKEN.findall(plain)]
    return [_spellings(token) for token in found if token not in FILLERS]


def _spellings(token: str) -> list[list[str]]:
    if not any(character.isdigit() for character in token):
        return [[token]]
    unit = [CURRENCY[token[0]]] if token[0] in CURRENCY else []
    ordinal = token[-1].isalpha()
    whole, _, fraction = token.strip("£$€stndrh").replace(",", "").partition(".")
    after_point = ["point", *(ONES[int(digit)] for digit in fraction)] if fraction else []
    number = int(whole)
    ways = [[ONES[int(digit)] for digit in whole]]
    ways += [_cardinal(number, conjunction) for conjunction in (True, False)]
    if len(whole) == 4 and number % 100:  # a year or a clock time: "ten thirty"
        ways.append(_cardinal(number // 100, False) + _cardinal(number % 100, False))
    if ordinal:
        ways = [[*way[:-1], _ordinal(way[-1])] for way in ways]
    return [way + after_point + unit for way in ways]


def _cardinal(number: int, conjunction: bool) -> list[str]:
    if number < 20:
        return [ONES[number]]
    if number < 100:
        return [TENS[number // 10], *(_cardinal(number % 10, conjunction) if number % 10 else [])]
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    if number >= 1_000_000:
        return [ONES[int(digit)] for digit in str(number)]
    rest = number % size
    joint = ["and"] if conjunction and 0 < rest < 100 else []
    return [*_cardinal(number // size, conjunction), name, *joint, *(_cardinal(rest, conjunction) if rest else [])]


def _ordinal(word: str) -> str:
    if word in ORDINALS:
        return ORDINALS[word]
    if word == "twelve":
        return "twelfth"
    return word[:-1] + "ieth" if word.endswith("y") else word + "th"
