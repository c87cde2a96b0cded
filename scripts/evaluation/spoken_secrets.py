"""Made-up speech with secrets in it, and with words that only look like one.

The sentences are written here. Random digits fill them, in the ways people read digits; a seed makes runs repeatable.
Look-alikes (amounts, times, order numbers, appointments) must stay.
"""

from __future__ import annotations

import random
from typing import NamedTuple

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
MONTHS = (
    "january",
    "march",
    "april",
    "june",
    "july",
    "august",
    "october",
    "december",
)
ORDINALS = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "ninth",
    "twelfth",
    "thirteenth",
    "sixteenth",
    "twentieth",
)
NAMES = (
    "john",
    "anna",
    "smith",
    "peter",
    "mary",
    "jones",
    "ruth",
    "baker",
    "tom",
)
PROVIDERS = ("gmail dot com", "hotmail dot co dot uk", "yahoo dot com", "example dot org", "outlook dot com")


class Case(NamedTuple):
    """Utterances as (track, text). Words between braces {} are secret."""

    kind: str
    said: list[tuple[str, str]]


def say_digits(digits: str, rng: random.Random) -> str:
    """Digits as people read them: singly, "oh" for zero, "double", now and then as two-digit numbers, with
    hesitations."""
    words: list[str] = []
    pairs = rng.random() < 0.2
    at = 0
    while at < len(digits):
        d = int(digits[at])
        following = digits[at + 1] if at + 1 < len(digits) else ""
        if following == digits[at] and rng.random() < 0.5:
            words += ["double", DIGITS[d]]
            at += 2
        elif pairs and following not in ("", "0") and d >= 2:
            words += [TENS[d], DIGITS[int(following)]]
            at += 2
        else:
            words.append("oh" if d == 0 and at > 0 and rng.random() < 0.4 else DIGITS[d])
            at += 1
        if rng.random() < 0.04 and at < len(digits):
            words.append("uh")
    return " ".join(words)


def _number(length: int, rng: random.Random) -> str:
    return "".join(str(rng.randrange(10)) for _ in range(length))


def _marked(text: str) -> str:
    return " ".join("{" + word + "}" for word in text.split())


def _year(rng: random.Random) -> str:
    rest = rng.randrange(30, 100)
    return f"nineteen {TENS[rest // 10]}" + (f" {DIGITS[rest % 10]}" if rest % 10 else "")


def cases(seed: int, per_kind: int) -> list[Case]:
    """`per_kind` cases of each kind."""
    rng = random.Random(seed)
    out: list[Case] = []
    for _ in range(per_kind):
        card = "4" + _number(15, rng)
        spoken_card = say_digits(card, rng).split()
        cut = len(spoken_card) // 2
        first, second = " ".join(spoken_card[:cut]), " ".join(spoken_card[cut:])
        out.append(
            rng.choice(
                [
                    Case(
                        "card",
                        [
                            ("agent", "can i take the long card number"),
                            ("customer", f"yes it's {_marked(first)} {_marked(second)} thank you"),
                        ],
                    ),
                    Case(
                        "card over utterances",
                        [
                            ("agent", "what's the card number please"),
                            ("customer", f"it is {_marked(first)}"),
                            ("agent", "mm hmm"),
                            ("customer", _marked(second)),
                        ],
                    ),
                    Case(
                        "card in digits",
                        [
                            (
                                "customer",
                                "My card is " + _marked(" ".join(card[i : i + 4] for i in range(0, 16, 4))) + ".",
                            )
                        ],
                    ),
                ]
            )
        )
        out.append(
            Case(
                "security code",
                [
                    ("agent", "and the three digit security code"),
                    ("customer", f"that's {_marked(say_digits(_number(3, rng), rng))} yes"),
                ],
            )
        )
        out.append(
            Case(
                "account",
                [
                    ("agent", "your account number"),
                    ("customer", f"sure {_marked(say_digits(_number(8, rng), rng))}"),
                    ("agent", "lovely"),
                ],
            )
        )
        out.append(
            Case(
                "ssn",
                [
                    ("agent", "can you confirm your social security number"),
                    ("customer", f"okay {_marked(say_digits(_number(9, rng), rng))}"),
                ],
            )
        )
        phone = "07" + _number(9, rng)
        out.append(
            rng.choice(
                [
                    Case(
                        "phone",
                        [("customer", f"you can reach me on {_marked(say_digits(phone, rng))} after six")],
                    ),
                    Case(
                        "phone in digits",
                        [
                            (
                                "customer",
                                "Call me at {" + f"555-{_number(3, rng)}-{_number(4, rng)}" + "}, please.",
                            )
                        ],
                    ),
                ]
            )
        )
        name, surname = rng.choice(NAMES), rng.choice(NAMES)
        provider = rng.choice(PROVIDERS)
        local = rng.choice(
            [
                f"{name[0]} dot {surname}",
                f"{name} underscore {surname}",
                f"{name} {surname}",
                " ".join(name) + " dot " + surname,
                f"{name} dot {surname} {say_digits(_number(2, rng), rng)}",
            ]
        )
        out.append(
            Case(
                "email",
                [
                    ("agent", "what email can i send it to"),
                    ("customer", f"my email is {_marked(f'{local} at {provider}')} thanks"),
                ],
            )
        )
        birth = f"{rng.choice(ORDINALS)} of {rng.choice(MONTHS)} {_year(rng)}"
        out.append(
            rng.choice(
                [
                    Case(
                        "birth date",
                        [
                            ("agent", "and your date of birth please"),
                            ("customer", f"the {_marked(birth)} thank you"),
                        ],
                    ),
                    Case(
                        "birth date in digits",
                        [
                            (
                                "customer",
                                "I was born on {"
                                + f"{rng.randrange(1, 29)}/{rng.randrange(1, 13)}/19{rng.randrange(30, 99)}"
                                + "} in Leeds.",
                            )
                        ],
                    ),
                ]
            )
        )
        amount = f"{rng.choice(DIGITS[1:])} hundred and {rng.choice(TENS[2:])} {rng.choice(DIGITS[1:])}"
        day = f"{rng.choice(ORDINALS)} of {rng.choice(MONTHS)}"
        out.extend(
            [
                Case(
                    "look-alike",
                    [
                        ("agent", "can i have the order number"),
                        ("customer", f"it's {say_digits(_number(8, rng), rng)}"),
                    ],
                ),
                Case(
                    "look-alike",
                    [
                        (
                            "customer",
                            f"the parcel number is {say_digits(_number(9, rng), rng)} and it never came",
                        )
                    ],
                ),
                Case(
                    "look-alike",
                    [
                        (
                            "agent",
                            f"the fee is {amount} pounds and the engineer comes on the {day} at nine thirty",
                        )
                    ],
                ),
                Case(
                    "look-alike",
                    [
                        (
                            "customer",
                            f"i waited {rng.choice(TENS[2:6])} five minutes in two thousand and nineteen and"
                            " one of the two of you told me to call for a refund",
                        )
                    ],
                ),
            ]
        )
    return out
