"""A rule with examples finds other words of the same meaning. The table of meanings comes from disk."""

from __future__ import annotations

import subprocess
import sys

import pytest

from workers.insight.rules.rule import RuleError
from workers.insight.rules.rulefile import dump, parse
from workers.insight.words.spoken import Spoken

DEATH = """version: 1
rules:
- id: death
  title: Somebody has died
  severity: high
  examples:
  - my husband has died
  - my mother passed away
  - we lost our father last week
  - she is no longer with us
  - i need to report a death in the family
"""


def hits(text: str, rules: str = DEATH, track: str = "customer") -> list[str]:
    return [hit.quote for hit in parse(rules).apply([Spoken(f"{track}:0", track, 0.0, 5.0, text)])]


@pytest.mark.parametrize(
    "text",
    [
        "good morning i am calling because my father passed away on monday and i need to close things",
        "my wife passed away in march",
        "my dad has died",
    ],
)
def test_other_words_for_the_same_are_found(text: str) -> None:
    assert hits(text)


@pytest.mark.parametrize("text", ["", "yes", "where is my parcel", "the battery has died again", "i paid it last week"])
def test_other_matters_are_not_found(text: str) -> None:
    strict = DEATH.replace("severity: high", "severity: high\n  alike: 0.7")
    assert hits(text, strict) == []


def test_the_party_and_the_likeness_count() -> None:
    assert hits("my dad has died", track="agent") == []
    assert hits("my wife passed away in march", DEATH.replace("severity: high", "severity: high\n  alike: 0.95")) == []


def test_a_hit_quotes_the_words_that_are_alike() -> None:
    [quote] = hits(
        "hello yes well as i said to your colleague on the telephone before my mother passed away you know so"
    )
    assert "passed away" in quote
    assert len(quote.split()) <= 16


def test_words_without_end_cost_little_and_are_cut() -> None:
    assert hits("blah " * 5000 + "my mother passed away") == []


@pytest.mark.parametrize(
    "wrong",
    [
        DEATH.replace("  - she is no longer with us\n  - i need to report a death in the family\n", "").replace(
            "  - we lost our father last week\n", ""
        ),
        DEATH.replace("my husband has died", "x" * 201),
        DEATH.replace("severity: high", "severity: high\n  alike: 2"),
    ],
)
def test_examples_have_bounds(wrong: str) -> None:
    with pytest.raises(RuleError):
        parse(wrong)


def test_examples_survive_writing() -> None:
    assert parse(dump(parse(DEATH).file)).file == parse(DEATH).file


def test_the_table_is_read_without_the_network() -> None:
    code = (
        "import socket\n"
        "def refuse(*_): raise AssertionError('asked the network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from workers.insight.words.meaning import load\n"
        "print(len(load().of(['death'])))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "256"
