"""Every key belongs to a group of the access control lists, every process type has a user, and the document says so."""

from __future__ import annotations

import fnmatch
import inspect
from pathlib import Path

from state import keys
from state.server import acl

ROOT = Path(__file__).resolve().parents[3]


def every_key() -> set[str]:
    """One key of each kind that keys.py names, without the prefix."""
    made = {value for value in vars(keys).values() if isinstance(value, str) and value.startswith(keys.PREFIX)}
    functions = [keys.session]
    functions += [function for name, function in inspect.getmembers(keys.STORE, inspect.ismethod) if name[0] != "_"]
    for function in functions:
        made.add(function(*("x" for _ in inspect.signature(function).parameters)))
    made |= {value for value in vars(keys.STORE).values() if value.startswith(keys.PREFIX)}
    return {key.removeprefix(keys.PREFIX) for key in made} - {""}


def test_every_key_stands_in_one_group() -> None:
    assert len(every_key()) > 30
    for key in every_key():
        found = [group for group, names in acl.GROUPS.items() if any(fnmatch.fnmatchcase(key, name) for name in names)]
        assert len(found) == 1, f"say in state/server/acl.py who may use the key {key!r}: it is in the groups {found}"


def test_every_process_type_has_a_user() -> None:
    processes = {line.partition(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()}
    assert set(acl.USERS) == processes | {"operator"}


def test_every_file_has_new_passwords_and_shuts_the_door_without_one() -> None:
    first, second = acl.aclfile(), acl.aclfile()
    assert first != second and first.startswith("user default off\n")
    passwords = [word for word in first.split() if word.startswith(">")]
    assert len(set(passwords)) == len(acl.USERS) and all(len(word) > 30 for word in passwords)


def test_the_document_has_the_same_table() -> None:
    assert acl.table() in (ROOT / "docs/ACCESS.md").read_text()
