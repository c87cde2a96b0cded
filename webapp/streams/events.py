"""The events in the messages of all protocols. A parser returns these, whatever it gets, or raises ProtocolError."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from state.types import HappeningKind
from webapp.http.audio_forms import MAX_RATE, MIN_RATE

Message = str | bytes
"""A websocket message: text or binary."""

SampleForm = Literal["mulaw", "alaw", "s16le", "s16be"]


class ProtocolError(ValueError):
    """The sender does not speak the protocol. One sentence; the close frame carries it as the reason."""


class Form(msgspec.Struct, frozen=True):
    """The form of audio bytes: encoding, and samples a second of each channel."""

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
    """The sender says that so many seconds of audio are missing here."""

    seconds: float


class Told(msgspec.Struct, frozen=True):
    """An event on the line that the sound does not tell. It does not hold which key was pressed."""

    kind: HappeningKind
    track: str = ""
    to: str = ""
    who: str = ""


class Say(msgspec.Struct, frozen=True):
    """A message for the sender."""

    message: Message


class Stop(msgspec.Struct, frozen=True):
    """The sender has finished. The server sends `goodbye` back when it has taken all."""

    goodbye: Message | None = None


Event = Start | Audio | Lost | Told | Say | Stop


class Parser(Protocol):
    """A protocol. It keeps only what the sender said at the start."""

    close_ends: bool
    """Whether a sender that closes its socket properly has ended the call; else only the protocol's own message ends
    it."""

    def feed(self, message: Message) -> list[Event]:
        """The events in one message. Raises ProtocolError."""
        ...

    def farewell(self) -> list[Message]:
        """The message before this process closes the socket in mid-call, so that the sender comes back."""
        ...
