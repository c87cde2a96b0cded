"""A script's head and its code agree. A call that does not fit the head never reaches the server."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest
import redis

from state import keys
from state.server.heads import HeadError, read_head
from state.server.scripts import COMMON, SCRIPTS, Script, Scripts

LUA = set(
    re.findall(
        r"\w+",
        "and break do else elseif end false for function if in local nil not or repeat return then true until while"
        " KEYS ARGV redis cjson cmsgpack string math table tonumber tostring type unpack ipairs pairs",
    )
)
FUNCTION = re.compile(r"((?:--[^\n]*\n)*)local function (\w+)\(.*?\n.*?\nend\n", re.DOTALL)


def code(lua: str) -> str:
    """The code without comments and strings."""
    return re.sub(r"'[^'\n]*'", "''", re.sub(r"--[^\n]*", "", lua))


def names(lua: str) -> set[str]:
    """Identifiers, without those that name a member of a table."""
    bare = re.sub(r"([{,]\s*)\w+ =(?!=)", r"\1", code(lua))
    return set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", bare))


COMMON_FUNCTIONS = {found[2]: found for found in FUNCTION.finditer(COMMON)}


def reached(lua: str) -> set[str]:
    """The common functions that this code calls, directly or through others."""
    found: set[str] = set()
    waiting = names(lua) & COMMON_FUNCTIONS.keys()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= (names(COMMON_FUNCTIONS[name][0]) & COMMON_FUNCTIONS.keys()) - found
    return found


def whole(script: Script) -> set[str]:
    """Names in the script and in the common functions that it reaches."""
    return names(script.text).union(*(names(COMMON_FUNCTIONS[name][0]) for name in reached(script.text)))


EACH = pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)


@EACH
def test_a_script_uses_every_key_and_field_of_its_head_and_no_other(script: Script) -> None:
    head, used = script.head, whole(script)
    declared = {f"{key}_key" for key in head.keys}
    given = {*head.fields, *(name.removesuffix("...") for name in head.beside)}
    made_of = {"call_id", "track", "worker"}  # the keys are made of these, so the code need not use them
    assert declared <= used, "the script never uses a declared key"
    assert given - made_of <= used, "the script never uses a declared field"
    assert {name for name in used if name.endswith("_key")} <= declared
    assert not re.search(r"\b(KEYS|ARGV)\b", code(script.text)), "by name, not by number"


@EACH
def test_a_script_knows_every_name_it_uses(script: Script) -> None:
    """To Lua an unknown name is a global, and the server refuses it only when it runs that line."""
    source = script.source
    known = set(re.findall(r"local function (\w+)", source))
    for found in re.findall(r"(?:local (?!function)|for |function \w*\()([\w,\s]+?)(?: =| in |\))", code(source)):
        known |= set(re.findall(r"\w+", found))
    head = script.head
    assert names(script.text) <= known | LUA | {"_"} | {f"{key}_key" for key in head.keys} | set(head.fields)


@EACH
def test_a_script_answers_what_its_head_says(script: Script) -> None:
    text = re.sub(r"--[^\n]*", "", script.text)
    after = re.findall(r"(?:outcome = |say_so\()(.*)", text)
    answered = {word for rest in after for word in re.findall(r"'([A-Z]+)'", rest)}
    assert answered == set(script.head.outcomes)


def test_common_functions_name_the_keys_and_fields_that_they_use() -> None:
    for name, found in COMMON_FUNCTIONS.items():
        body = names(found[0]).union(*(names(COMMON_FUNCTIONS[other][0]) for other in reached(found[0]) - {name}))
        said = re.search(r"KEYS  ([a-z, _]+?)(?:   |\n)", found[1])
        declared = {f"{key}_key" for key in said[1].split(", ")} if said else set()
        assert {used for used in body if used.endswith("_key")} == declared, name
        fields = re.search(r"FIELDS  ([a-z, _]+)\n", found[1])
        assert (body & {"call_id", "retention_seconds", "sender", "sender_reads"}) == set(
            fields[1].split(", ") if fields else ()
        ), name


MOVE = {"call_id": "c", "track": "t", "token": "x|1-0", "force": True, "forgive": 0}


class Untouchable:
    """A client that must not be used."""

    def execute_command(self, *command: object) -> Any:
        raise AssertionError(f"the server was asked: {command}")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"token": "x|1-0", "force": True}, "move: call_id, forgive, track must be given"),
        ({"call_id": "c", "track": "t", "token": "x|1-0", "force": True}, "move: forgive must be given"),
        (MOVE | {"tok": ""}, "move: it knows no tok"),
    ],
)
def test_a_call_that_does_not_fit_fails_before_the_server(fields: dict[str, Any], said: str) -> None:
    scripts = Scripts(cast(redis.Redis, Untouchable()), keys.STORE)
    with pytest.raises(HeadError, match=re.escape(said)):
        scripts.run("move", **fields)
    with pytest.raises(HeadError, match="beside the fields it takes nothing"):
        scripts.run("move", b"audio", **MOVE)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("-- KEYS    call\n-- FIELDS  call_id\n-- WRITES  always\n", "x: the head has no ANSWER"),
        ("-- KEYS    call\n-- KEYS    track\n", "x: KEYS stands twice"),
        (
            "-- KEYS    call\n-- FIELDS  call_id, call_id\n-- ANSWER  outcome\n-- WRITES  always\n",
            "x: a name stands twice",
        ),
        ("-- KEYS    Call\n-- FIELDS  call_id\n-- ANSWER  outcome\n-- WRITES  always\n", "x: the head's line cannot"),
    ],
)
def test_a_head_that_cannot_be_read_is_refused(head: str, said: str) -> None:
    with pytest.raises(HeadError, match=re.escape(said)):
        read_head("x", head)
