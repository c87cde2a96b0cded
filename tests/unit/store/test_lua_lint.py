"""Luacheck reads every script as the server gets it: the locals from its head, the common functions, and its text."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from state.events import FEED_EVENTS
from state.server.scripts import COMMON, SCRIPTS


def allowed() -> list[str]:
    """The warnings that luacheck leaves out. Every script gets all common functions and all names of its head, used or
    not (test_script_heads.py checks that). A parameter of a common function may have the name of a script's field."""
    common = re.findall(r"^local (?:function )?(\w+)", COMMON, re.MULTILINE)
    heads = [script.head for script in SCRIPTS.values()]
    keys = [f"{key}_key" for head in heads for key in head.keys]
    fields = [name.removesuffix("...") for head in heads for name in (*head.fields, *head.beside)]
    unused = [f"211/{name}" for name in (*common, *keys, *fields, "given")]
    return sorted({*unused, *(f"431/{name}" for name in fields)})


def test_no_script_has_an_unknown_name_or_an_unused_value(tmp_path: Path) -> None:
    luacheck = shutil.which("luacheck")
    assert luacheck, "luacheck is not installed; scripts/setup --dev installs it (Debian: lua-check)"
    for name, script in SCRIPTS.items():
        (tmp_path / f"{name}.lua").write_text(script.source)
    options = ["--no-config", "--std", "lua51", "--codes", "--no-color", "--no-max-line-length"]
    options += ["--read-globals", "redis", "cjson", "cmsgpack", "KEYS", "ARGV", "--ignore", *allowed()]
    command = [luacheck, str(tmp_path), *options]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_what_a_script_says_twice_is_said_alike() -> None:
    """Lua cannot import. A number that both Lua and Python need stands in both."""
    assert re.findall(r"(\w+) = (\w+) -- as events\.(\w+)", COMMON) == [
        ("FEED_EVENTS", str(FEED_EVENTS), "FEED_EVENTS")
    ]
