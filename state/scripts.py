"""Loads and calls the Lua scripts of state/lua: the only place where several keys change together.

A script runs alone on the server, so each is one step of the protocol: it is applied whole or not at all. Each
file's head says its keys, its arguments and its answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis

_FOLDER = Path(__file__).with_name("lua")
_COMMON = (_FOLDER / "common.lua").read_text()

SOURCES: dict[str, str] = {
    path.stem: _COMMON + path.read_text() for path in sorted(_FOLDER.glob("*.lua")) if path.stem != "common"
}
_DIGESTS = {name: hashlib.sha1(source.encode()).hexdigest() for name, source in SOURCES.items()}

Argument = str | bytes | int | float


class Scripts:
    """The scripts, bound to one connection. `call` sends a digest; a server that forgot gets the source once."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def call(self, name: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run script `name`. Raises redis.RedisError as the client does."""
        try:
            return self._redis.evalsha(_DIGESTS[name], len(keys), *keys, *args)
        except redis.exceptions.NoScriptError:
            return self._redis.eval(SOURCES[name], len(keys), *keys, *args)

    def queue(self, pipe: Any, name: str, keys: Sequence[str], args: Sequence[Argument]) -> None:
        """Add script `name` to a pipeline; the caller calls `load` and repeats on NoScriptError."""
        pipe.evalsha(_DIGESTS[name], len(keys), *keys, *args)

    def load(self) -> None:
        """Make every script known to the server (after connecting, and after NoScriptError in a pipeline)."""
        for source in SOURCES.values():
            self._redis.script_load(source)
