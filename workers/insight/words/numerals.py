"""Spoken numbers: which words are numbers, and what a run of them says.

English only. Two readings are needed: a *quantity* ("forty five minutes" is 45) for phrases, and *dictated
digits* ("four one one one", "double two", "nineteen eighty") for redaction; see redaction/ for the latter.
"""

from __future__ import annotations

from collections.abc import Sequence

UNITS = {w: i for i, w in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))}
TEENS = {
    w: i
    for i, w in enumerate(
        (
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ),
        start=10,
    )
}
TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fourty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
SMALL = UNITS | TEENS | TENS

ORDINAL_UNITS = {
    w: i
    for i, w in enumerate(
        ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"), start=1
    )
}
ORDINALS = (
    ORDINAL_UNITS
    | {
        w: i
        for i, w in enumerate(
            (
                "tenth",
                "eleventh",
                "twelfth",
                "thirteenth",
                "fourteenth",
                "fifteenth",
                "sixteenth",
                "seventeenth",
                "eighteenth",
                "nineteenth",
            ),
            start=10,
        )
    }
    | {
        "twentieth": 20,
        "thirtieth": 30,
        "fortieth": 40,
        "fiftieth": 50,
        "hundredth": 100,
    }
)


def ordinal_form(value: int) -> str:
    """The written ordinal a phrase pattern and a text are compared in: 3 -> "3rd"."""
    suffix = "th" if 10 <= value % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{suffix}"


def quantity(words: Sequence[str], at: int) -> tuple[str, int] | None:
    """Read one quantity or ordinal in `words` from index `at`.

    Returns (written form, number of words taken): ("45", 2) for "forty five", ("3rd", 1) for "third",
    ("4", 1) for the first of "four one one one". None if no number starts there. Lower-case words expected.
    """
    first = words[at]
    if first in ORDINALS:
        return ordinal_form(ORDINALS[first]), 1
    if first not in SMALL and first not in SCALES:
        return None
    total, group, taken = 0, 0, 0
    last = ""
    for word in words[at:]:
        if word in SCALES:
            if word == "hundred":
                group = (group or 1) * 100
            else:
                total += (group or 1) * SCALES[word]
                group = 0
        elif word in SMALL:
            fits = taken == 0 or last in SCALES or (last in TENS and word in UNITS and word != "zero")
            if not fits:
                break
            group += SMALL[word]
        elif word in ORDINAL_UNITS and last in TENS:
            return ordinal_form(total + group + ORDINAL_UNITS[word]), taken + 1
        else:
            break
        last = word
        taken += 1
    return str(total + group), taken
