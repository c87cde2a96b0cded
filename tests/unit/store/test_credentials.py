"""Keys, scopes and passwords without a store, and the pages that may open sockets."""

from __future__ import annotations

import threading

import pytest

from state import credentials
from state.credentials import CredentialError, HashingBusy
from state.refusal import Refusal
from webapp.access.origins import is_ours
from webapp.http.limits import network


def test_keys_are_long_random_and_told_apart_by_their_prefix() -> None:
    made = {credentials.make_key() for _ in range(100)}
    assert len(made) == 100
    assert all(key.startswith("esk_") and len(key) == 4 + 43 for key in made)


def test_keys_of_the_environment_are_named_or_bare() -> None:
    text = "pbx:ingest:hunter2-hunter2-a, crm:read+ingest:hunter2/with+base64== ,hunter2-hunter2-bare"
    found = credentials.parse_given_keys(text)
    assert {by: (key.name, key.scopes) for by, key in found.items()} == {
        credentials.digest("hunter2-hunter2-a"): ("pbx", ("ingest",)),
        credentials.digest("hunter2/with+base64=="): ("crm", ("ingest", "read")),
        credentials.digest("hunter2-hunter2-bare"): ("environment-3", ("ingest", "read")),
    }
    assert all(key.shown == "" for key in found.values()), "no part of a secret of unknown form is shown"
    assert credentials.parse_given_keys("") == {}


@pytest.mark.parametrize("scopes", ["", "admin", "ingest+admin", "ingest+ingest", "read,ingest", "READ"])
def test_scopes_are_ingest_and_read(scopes: str) -> None:
    with pytest.raises(Refusal):
        credentials.parse_scopes(scopes)


@pytest.mark.parametrize("name", ["", "a b", "a\n", "-a", "a:b", "ä", "x" * 65])
def test_names_are_safe_in_logs_and_terminals(name: str) -> None:
    with pytest.raises(CredentialError):
        credentials.check_name(name)


def test_a_password_fits_its_hash_only() -> None:
    kept = credentials.hash_password("a password of mine")
    assert kept.startswith("$argon2id$") and "mine" not in kept
    assert credentials.verify_password(kept, "a password of mine")
    assert not credentials.verify_password(kept, "a password of yours")
    assert not credentials.verify_password(None, "a password of mine")
    assert not credentials.verify_password("no hash", "a password of mine")
    assert kept != credentials.hash_password("a password of mine"), "salted"
    with pytest.raises(CredentialError):
        credentials.hash_password("short")


def test_only_few_passwords_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_hashing", threading.BoundedSemaphore(1))
    with credentials._Turn(), pytest.raises(HashingBusy):
        credentials.verify_password(None, "a password of mine")
    assert not credentials.verify_password(None, "a password of mine"), "the place is free again"


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        (None, True),
        ("http://calls.example:8000", True),
        ("HTTP://CALLS.example:8000", True),
        ("https://calls.example:8000", False),
        ("http://calls.example", False),
        ("http://calls.example:8000.evil.example", False),
        ("https://public.example", True),
        ("http://public.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_sockets_are_opened_from_our_own_pages(origin: str | None, ours: bool) -> None:
    environ = {"wsgi.url_scheme": "http", "HTTP_HOST": "calls.example:8000"}
    assert is_ours("https://public.example/earshot", origin, environ) is ours


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("no address", "unknown"),
    ],
)
def test_one_customer_is_one_address(address: str, counted_as: str) -> None:
    assert network(address) == counted_as
