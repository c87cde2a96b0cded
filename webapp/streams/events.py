"""What a protocol's messages come down to. A parser returns these, whatever it is fed, or raises ProtocolError."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any, Literal, Protocol

import msgspec

from state.types import CALL_ID, TRACK
from webapp.api.schemas import MAX_METADATA, MAX_METADATA_CHARACTERS, MAX_METADATA_KEY, MAX_METADATA_VALUE
from webapp.http.audio_forms import MAX_RATE, MIN_RATE

Message = str | bytes
"""A websocket message: text or binary."""

SampleForm = Literal["mulaw", "alaw", "s16le", "s16be"]

CUSTOMER, AGENT = "customer", "agent"


class ProtocolError(ValueError):
    """The sender does not speak the protocol. One sentence, sent back as the reason of the close."""


class Form(msgspec.Struct, frozen=True):
    """How audio bytes are to be read: encoding, and samples a second of each channel."""

    encoding: SampleForm
    rate: int

    def __post_init__(self) -> None:
        if not MIN_RATE <= self.rate <= MAX_RATE:
            raise ProtocolError(f"the rate is {self.rate} Hz; known are {MIN_RATE} to {MAX_RATE}")

    @property
    def sample_bytes(self) -> int:
        return 1 if self.encoding in ("mulaw", "alaw") else 2


class Start(msgspec.Struct, frozen=True):
    """A call begins, or goes on over this socket. `stream` names the sender's clock, if it has one."""

    call_id: str
    tracks: list[str]
    metadata: dict[str, str]
    stream: str = ""


class Audio(msgspec.Struct, frozen=True):
    """Audio of one or more tracks, interleaved. number counts a track's frames, at_ms is the sender's clock."""

    tracks: tuple[str, ...]
    form: Form
    data: bytes
    number: int | None = None
    at_ms: float | None = None


class Lost(msgspec.Struct, frozen=True):
    """The sender says that so much audio is missing here."""

    seconds: float


class Say(msgspec.Struct, frozen=True):
    """To be sent back."""

    message: Message


class Stop(msgspec.Struct, frozen=True):
    """The sender has finished. `goodbye` is sent back when all is taken."""

    goodbye: Message | None = None


Event = Start | Audio | Lost | Say | Stop


class Parser(Protocol):
    """A protocol. It keeps only what the sender said at the start."""

    close_ends: bool
    """A sender that closes its socket in order has ended the call; else only the protocol's own word ends it."""

    def feed(self, message: Message) -> list[Event]:
        """The events in one message. Raises ProtocolError."""
        ...

    def farewell(self) -> list[Message]:
        """What to say before this process closes the socket in mid-call, so that the sender comes back."""
        ...


def clean_call_id(given: object) -> str:
    """A call id of ours from a provider's: other characters become "-", a long one is cut and hashed."""
    text = str(given)
    cleaned = re.sub(r"[^A-Za-z0-9._~-]", "-", text)
    if not cleaned[:1].isalnum():
        cleaned = "c" + cleaned
    if len(cleaned) > 128:
        cleaned = f"{cleaned[:95]}-{blake2b(text.encode(errors='replace'), digest_size=16).hexdigest()}"
    assert re.fullmatch(CALL_ID, cleaned)
    return cleaned


def track_name(given: object) -> str:
    """A track's name as we allow it. Raises ProtocolError."""
    name = str(given).strip().lower()
    if not re.fullmatch(TRACK, name):
        raise ProtocolError(f"{name[:40]!r} is no track: small letters, digits, _ and -, at most 32")
    return name


def clean_metadata(given: dict[str, Any]) -> dict[str, str]:
    """Flat printable metadata from whatever a provider tells; what is empty or too long is cut."""
    kept: dict[str, str] = {}
    left = MAX_METADATA_CHARACTERS
    for key, value in given.items():
        name = _printable(key, MAX_METADATA_KEY)
        if isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, str | int | float):
            text = _printable(value, MAX_METADATA_VALUE)
        else:
            continue
        if name and text and len(kept) < MAX_METADATA and len(name) + len(text) <= left:
            left -= len(name) + len(text)
            kept[name] = text
    return kept


def _printable(given: object, most: int) -> str:
    return "".join(c if c.isprintable() else " " for c in str(given)).strip()[:most]


def json_object(text: Message) -> dict[str, Any] | None:
    """The JSON object in a message, or None."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def mapping(value: object) -> dict[str, Any]:
    """`value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def integer(value: object) -> int | None:
    """A whole number up to 2^53 that JSON may bring as a number or as a string; None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) <= 2**53 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= 2**53 else None
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value):
        return int(value)
    return None
