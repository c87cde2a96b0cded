"""Loads and calls the Lua scripts of state/server/lua: the only place where several keys change together.

A script runs alone on the server, so each is one step of the protocol, applied whole or not at all. Each file's head
says what it takes and answers. heads.py reads it, so a call that does not fit fails here and not there.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import redis

from state.keys import Keys
from state.server.asking import Command, ask
from state.server.heads import Head, read_head

_FOLDER = Path(__file__).with_name("lua")
COMMON = (_FOLDER / "common.lua").read_text()
"""The functions that several scripts share."""

_pack = msgpack.Packer(use_bin_type=False).pack
"""For Lua, whose msgpack only knows strings of bytes. msgspec writes bytes as another type."""

_unpack = msgspec.msgpack.Decoder(dict[str, Any]).decode

_FUNCTION = re.compile(r"^local function (\w+)\(.*?^end\n", re.DOTALL | re.MULTILINE)


def _common_to(text: str) -> str:
    """The functions of common.lua that a script uses, directly or not. Each costs a moment in each run, called or
    not."""
    functions = {found[1]: found[0] for found in _FUNCTION.finditer(COMMON)}
    constants = _FUNCTION.sub("", COMMON)
    used: set[str] = set()
    waiting = [text]
    while waiting:
        called = {name for name in re.findall(r"\w+", waiting.pop()) if name in functions}
        waiting += [functions[name] for name in called - used]
        used |= called
    return constants + "".join(function for name, function in functions.items() if name in used)


class Script:
    """One step of the protocol: its head, its whole source, and the digest by which a server knows it."""

    def __init__(self, name: str, text: str) -> None:
        self.head: Head = read_head(name, text)
        self.text = text
        self.source = self.head.prelude() + _common_to(text) + text
        self.digest = hashlib.sha1(self.source.encode()).hexdigest()
        self._fitting: set[tuple[object, ...]] = set()
        self._skipped = 1 if len(self.head.fields) < 16 else 3  # bytes that say how many values follow

    def packed(self, fields: Mapping[str, Any], beside: tuple[bytes, ...]) -> bytes:
        """The fields in the order of the head, one after another, so that Lua binds them without looking any up.

        Raises HeadError if this, or what stands beside it, is not what the head asks for.
        """
        shape = (len(beside), *fields)
        if shape not in self._fitting:
            self.head.check(fields, len(beside))
            self._fitting.add(shape)
        packed: bytes = _pack([*map(fields.get, self.head.fields)])
        return packed[self._skipped :]


SCRIPTS: dict[str, Script] = {
    path.stem: Script(path.stem, path.read_text()) for path in sorted(_FOLDER.glob("*.lua")) if path.stem != "common"
}


def _template(keys: Keys, head: Head) -> str:
    """The script's keys one after another, with %(field)s in the place of their parts; then `vacant`."""
    found = (*(getattr(keys, name) for name in head.keys), keys.vacant)
    return _BETWEEN.join(
        key if isinstance(key, str) else key(*(f"%({field})s" for field in inspect.signature(key).parameters))
        for key in found
    )


_BETWEEN = "\0"
"""Between two keys. No key contains it."""


class Scripts:
    """The scripts, bound to one connection. A server that forgot one is told its source once."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._redis = client
        self._keys = {name: _template(keys, script.head) for name, script in SCRIPTS.items()}

    def run(self, script: str, /, *beside: bytes, **fields: Any) -> dict[str, Any]:
        """Run a script.

        Args:
            script: its name, a file of state/server/lua.
            beside: the values that its head names under BESIDE.
            fields: those that it names under FIELDS. Its keys follow from them.

        Returns:
            The map that its head describes under ANSWER.

        Raises:
            HeadError: the call is not what the head says; nothing was sent.
            redis.RedisError: as the client does.
        """
        return self.run_all(script, [(beside, fields)])[0]

    def run_all(self, script: str, /, runs: Sequence[tuple[tuple[bytes, ...], dict[str, Any]]]) -> list[dict[str, Any]]:
        """Run a script several times in one round trip.

        Args:
            script: its name.
            runs: what `run` takes, BESIDE and FIELDS, of each.

        Returns:
            What each answers.

        Raises:
            HeadError: a run is not what the head says; nothing was sent.
            redis.RedisError: as the client does. Any of the runs may be done.
        """
        commands = [self.command(script, *run) for run in runs]
        try:
            answers = ask(self._redis, *commands)
        except redis.exceptions.NoScriptError:
            answers = ask(self._redis, *[("EVAL", SCRIPTS[script].source, *command[2:]) for command in commands])
        return [*map(_unpack, answers)]

    def command(self, script: str, /, beside: tuple[bytes, ...], fields: dict[str, Any]) -> Command:
        """The command that runs a script, for `ask`; `read_answer` understands its reply.

        beside, fields: as `run` takes them. The caller calls `load` and repeats it on NoScriptError. Raises HeadError.
        """
        step = SCRIPTS[script]
        packed = step.packed(fields, beside)
        names = (self._keys[script] % fields).split(_BETWEEN)
        return ("EVALSHA", step.digest, len(names), *names, packed, *beside)

    def load(self) -> None:
        """Make every script known to the server (after connecting, and after NoScriptError in a pipeline)."""
        for script in SCRIPTS.values():
            self._redis.script_load(script.source)


def read_answer(packed: bytes) -> dict[str, Any]:
    """The map that the script of `Scripts.command` answered."""
    return _unpack(packed)
