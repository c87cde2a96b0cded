"""Rules that are made to cost much. Each is read or refused within a bound of processor time and memory."""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Callable

import psutil
import pytest

from workers.insight.rules.rule import RuleError
from workers.insight.rules.rulefile import MAX_FILE_CHARS, parse
from workers.insight.rules.ruleset import MAX_HEARD
from workers.insight.words.spoken import Spoken

CPU_SECONDS = 5
"""At most so many seconds of processor time. The most expensive take one second here."""
MEMORY_BYTES = 200_000_000
"""At most so many bytes more than the process has before."""

N = MAX_FILE_CHARS
RULE = "version: 1\nrules:\n- id: a\n  title: t\n  severity: info\n  phrases:\n"
ALTERNATIVES = "(" + "|".join(f"w{i}" for i in range(30)) + ")"
DOUBLED = "".join(f"b{i}: &b{i} [*b{i - 1}, *b{i - 1}]\n" for i in range(1, 40))
LONG = " ".join(f"{letter}{number}" for letter in "abcdefghijkl" for number in range(10))

BOMBS = {
    "aliases": ("b0: &b0 [x, x]\n" + DOUBLED, "anchors and aliases"),
    "merge keys": ("a: &a {k: 1}\nb: {<<: [" + "*a, " * 2000 + "*a]}", "anchors and aliases"),
    "a merge key alone": ("<<: {version: 1}\nrules: []", "merge keys"),
    "a sexagesimal integer": ("version: " + "1:" * (N // 2 - 10) + "1", "Expected `int`, got `str`"),
    "a long integer": ("version: " + "9" * (N - 10), "Expected `int`, got `str`"),
    "an exponent": ("version: 1e999999999", "Expected `int`, got `str`"),
    "nested lists": ("[" * N, "nested deeper"),
    "nested objects": (("{a: " * N)[:N], "nested deeper"),
    "nested blocks": (("- " * N)[:N], "nested deeper"),
    "anchors": (("&a " * N)[:N], "anchors and aliases"),
    "tags": (("!a " * N)[:N], "tags"),
    "binary": ("version: !!binary " + "A" * (N - 20), "tags"),
    "many items": ("rules: [" + "a," * (N // 2 - 10) + "]", "keys and values"),
    "many pairs": ("[" + "a: b," * (N // 5 - 1) + "]", "keys and values"),
    "many empty items": ("-\n" * (N // 2), "keys and values"),
    "many documents": ("---\n" * (N // 4), "keys and values"),
    "one word": ('"' + "\\x41" * (N // 4 - 3) + '"', "Expected `object`, got `str`"),
    "one key": ("? " + "x" * (N - 10) + "\n: 1", r"unknown field `x+\.\.\."),
    "a key twice": ("version: 1\nversion: 2\nrules: []", "line 2: the key 'version' stands twice"),
    "a key that is a list": ("[a, b]: 1", "a key must be text"),
    "combinations": (RULE + f"  - 'x {ALTERNATIVES} {ALTERNATIVES}'\n" * 44, "combinations"),
    "words": (RULE + f"  - '{'(a|b) ' * 10} {LONG[:400]}'\n" * 19, "words"),
}


def within_bounds(work: Callable[[], object]) -> str:
    """What `work` returns, or the RuleError it raises, as text. It runs in a child that may use no more than the
    bounds."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
            most = psutil.Process().memory_info().vms + MEMORY_BYTES
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
            said = str(work())
        except RuleError as error:
            said = str(error)
        except BaseException as error:
            said = f"failed: {error!r}"
        os.write(write, said[:2000].encode())
        os._exit(0)
    os.close(write)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(read) as answer:
        said = answer.read()
    assert status == 0, f"killed by signal {os.WTERMSIG(status)}: more than {CPU_SECONDS} s of processor time"
    return said


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_is_built(name: str) -> None:
    text, said = BOMBS[name]
    assert re.search(said, within_bounds(lambda: parse(text)))


def test_the_largest_rules_that_are_allowed_are_read_within_bounds() -> None:
    few_words = RULE + "".join(f"  - 'x{i} {ALTERNATIVES} {ALTERNATIVES}'\n" for i in range(22))
    many_words = RULE + "".join(f"  - 'x{i} {'(a|b) ' * 6} {LONG[:440]}'\n" for i in range(12))
    for text in (few_words, many_words):
        assert within_bounds(lambda text=text: len(parse(text).file.rules)) == "1"


def test_the_dearest_patterns_are_searched_for_within_bounds() -> None:
    """A phrase may begin at every word and may skip words many times."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    gaps = RULE + "".join(f"  - '{letter}* {'*9 ' * 100} never'\n" for letter in letters)
    prefixes = RULE + "".join(
        f"  - '{'(' + '|'.join(f'{a}{b}{c}*' for c in letters) + ')'} never'\n" for a in letters for b in letters[:7]
    )
    said = [Spoken("u", "customer", 0.0, 20.0, " ".join(f"{letter}x" for letter in letters * 3), None)]
    for text in (gaps, prefixes):
        assert within_bounds(lambda text=text: len(parse(text).apply(said))) == "0"


def test_rules_that_hear_every_word_stay_within_bounds_and_end_when_told() -> None:
    rule = "- {id: r%d, title: t, severity: info, track: any, phrases: [e*], cooldown_seconds: 0, and_not: %s}\n"
    never = "{phrases: [e*], within_seconds: 0.5, track: any}"
    text = "version: 1\nrules:\n" + "".join(rule % (i, never) for i in range(400))
    said = [Spoken(f"u{i}", "customer", i, i + 0.9, f"eins{i} zwei", None) for i in range(10_000)]
    assert int(within_bounds(lambda: len(parse(text).apply(said)))) <= MAX_HEARD

    class Enough(Exception):
        pass

    looked = []

    def enough() -> None:
        looked.append(1)
        if len(looked) > 100:
            raise Enough

    with pytest.raises(Enough):
        parse(text).apply(said, between=enough)
