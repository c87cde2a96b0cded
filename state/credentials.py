"""API keys and passwords by themselves: made, hashed, checked. state/people says what is kept of them.

A key is 256 random bits, so nobody can guess it. One round of SHA-256 is enough for it, costs little for every chunk,
and lets Redis find the digest directly. (A slow, salted hash protects what people think up.) People think up
passwords. So passwords get argon2id, with the parameters of RFC 9106 for machines that have other work.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from typing import Literal

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from state.refusal import Refusal

Scope = Literal["ingest", "read", "agent"]
SCOPES: tuple[Scope, ...] = ("ingest", "read")
"""ingest: declare, post and end calls. read: see them. agent: a key with this scope has no other; it belongs to one
agent and reaches this agent's calls alone."""

MAX_AGENT_CHARACTERS = 128
"""At most so many characters in an agent's name, as telephony sends it in a call's metadata."""

KEY_BYTES = 32
KEY_PREFIX = "esk_"
"""Earshot secret key. It lets us recognise a leaked key in logs, and scanners elsewhere."""

SHOWN_CHARACTERS = len(KEY_PREFIX) + 6
"""Characters of a key that a list shows: enough to tell it from others, 36 of its 256 bits."""

MIN_GIVEN_KEY_CHARACTERS = 16
"""At least so many characters in a key that the operator made up (API_KEYS). Guessing finds shorter ones."""

BEARER_TOKEN = r"[A-Za-z0-9._~+/-]+=*"
"""What may follow "Bearer " (RFC 6750). Nobody could show a key of other characters."""

NAME = r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$"
"""Names of keys and accounts: safe in a log line and a terminal, as e-mail addresses are."""

MIN_PASSWORD_CHARACTERS, MAX_PASSWORD_CHARACTERS = 12, 256
"""Characters of a password. The upper limit keeps the hashing of a stranger's input cheap."""

HASHINGS_AT_ONCE = 2
"""At most so many hashings at once in a process. Each takes 64 MiB and a core for some tens of milliseconds, and
strangers can ask for them. The process refuses one more: if it waited, it would keep a thread."""


class CredentialError(Refusal):
    """A name, scope, key or password cannot be accepted."""


class HashingBusy(RuntimeError):
    """Too many password checks are running."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """The stored part of a key. shown: its first characters. used_at_ms: to the minute; None if never used. agent:
    whose calls a key with the scope agent reaches."""

    name: str
    scopes: tuple[Scope, ...]
    shown: str
    created_at_ms: int
    used_at_ms: int | None = None
    agent: str = ""


def check_agent(name: str) -> str:
    """`name` without blanks around it, if calls may have it as the name of their agent. Raises CredentialError."""
    name = name.strip()
    if not 0 < len(name) <= MAX_AGENT_CHARACTERS or not name.isprintable():
        raise CredentialError("an agent's name is printable text of 1 to {n} characters", n=MAX_AGENT_CHARACTERS)
    return name


def check_name(name: str) -> str:
    """`name` in small letters. Raises CredentialError."""
    if not re.fullmatch(NAME, name):
        raise CredentialError("a name is 1 to 64 letters, digits and . _ @ + -, and begins with a letter or digit")
    return name.lower()


def make_key() -> str:
    """A new key: the prefix and 256 random bits."""
    return KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)


def digest(secret: str) -> str:
    """The name under which a key or a session's token is kept: SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def parse_scopes(text: str) -> tuple[Scope, ...]:
    """Scopes from "ingest", "read" or "ingest+read". Raises Refusal."""
    given = text.split("+")
    found = tuple(scope for scope in SCOPES if scope in given)
    if not found or len(found) != len(given):
        raise Refusal("scopes are ingest, read or ingest+read")
    return found


def parse_given_keys(text: str) -> dict[str, ApiKey]:
    """Keys from the environment, by digest: `name:scopes:key` or a bare key (both scopes), comma separated.

    Raises Refusal that counts the entries and quotes none.
    """
    keys: dict[str, ApiKey] = {}
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    for number, entry in enumerate(entries, 1):
        name, scopes, key = _entry(entry, number)
        try:
            shown = key[:SHOWN_CHARACTERS] if key.startswith(KEY_PREFIX) else ""
            made = ApiKey(name=check_name(name), scopes=parse_scopes(scopes), shown=shown, created_at_ms=0)
        except Refusal as error:
            raise Refusal(f"entry {number}: {error}") from None
        if len(key) < MIN_GIVEN_KEY_CHARACTERS or not re.fullmatch(BEARER_TOKEN, key):
            raise Refusal(
                f"entry {number}: a key is {MIN_GIVEN_KEY_CHARACTERS} or more letters, digits and . _ ~ + / -"
            )
        if digest(key) in keys or made.name in [other.name for other in keys.values()]:
            raise Refusal(f"entry {number}: its name or key comes twice")
        keys[digest(key)] = made
    return keys


def _entry(entry: str, number: int) -> tuple[str, str, str]:
    parts = entry.split(":", 2)
    if len(parts) == 1:
        return f"environment-{number}", "+".join(SCOPES), entry
    if len(parts) != 3:
        raise Refusal(f"entry {number}: expected name:scopes:key")
    return parts[0], parts[1], parts[2]


# -- passwords ------------------------------------------------------------------------------------------------

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_hashing = threading.BoundedSemaphore(HASHINGS_AT_ONCE)
_nobody: list[str] = []
"""The hash to compare a password with if there is no account. Made when first needed."""


def make_password() -> str:
    """A random password of 120 bits."""
    return secrets.token_urlsafe(15)


def check_password(password: str) -> str:
    """`password`, if it is acceptable. Raises CredentialError."""
    if not MIN_PASSWORD_CHARACTERS <= len(password) <= MAX_PASSWORD_CHARACTERS:
        raise CredentialError(
            "a password has {least} to {most} characters", least=MIN_PASSWORD_CHARACTERS, most=MAX_PASSWORD_CHARACTERS
        )
    return password


def hash_password(password: str) -> str:
    """An argon2id hash with its parameters and salt. Raises CredentialError, HashingBusy."""
    check_password(password)
    with _Turn():
        return _hasher.hash(password)


def verify_password(kept: str | None, password: str) -> bool:
    """Whether `password` fits the hash `kept`. Takes the same time if there is none. Raises HashingBusy."""
    with _Turn():
        if kept is None and not _nobody:
            _nobody.append(_hasher.hash(make_password()))
        try:
            return _hasher.verify(kept or _nobody[0], password[:MAX_PASSWORD_CHARACTERS]) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def needs_rehash(kept: str) -> bool:
    """Whether a hash was made with other parameters than are used today."""
    return _hasher.check_needs_rehash(kept)


class _Turn:
    """One of the few places for hashing. Raises HashingBusy if there is none."""

    def __enter__(self) -> None:
        if not _hashing.acquire(blocking=False):
            raise HashingBusy

    def __exit__(self, *_: object) -> None:
        _hashing.release()
