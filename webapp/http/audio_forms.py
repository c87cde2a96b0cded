"""The forms in which telephony may post a chunk: Content-Type and body in, `Chunk` out.

    audio/basic                                    G.711 mu-law, 8000 Hz
    audio/PCMU[;rate=R]  audio/x-mulaw[;rate=R]    G.711 mu-law, R Hz (8000 if not said)
    audio/PCMA[;rate=R]                            G.711 A-law
    audio/L16;rate=R                               16 bit PCM, big-endian (RFC 3551)
    audio/x-l16;rate=R                             16 bit PCM, little-endian, as most telephony products send it
    application/octet-stream;encoding=s16le;rate=R the same
    audio/wav  audio/x-wav                         RIFF with 16 bit PCM or G.711 (see riff.py)

8000 to 48000 Hz. Mono; or, where the address names several tracks, one channel each, interleaved
(;channels=2 where the form has such a parameter). G.711 goes to the journal as it is (half the bytes); PCM as
little-endian.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from werkzeug.http import parse_options_header

from state.calls.ingest import Chunk
from state.types import SAMPLE_BYTES, Encoding
from webapp.http import riff
from webapp.http.problems import Problem, invalid

MIN_RATE, MAX_RATE = 8_000, 48_000
"""Lowest and highest rate in Hz: telephony's lowest, and the highest that any softphone or recorder sends."""

MAX_CHUNK_SECONDS = 10
"""Most seconds of a chunk. It usually has one; more than ten would make a live line ten seconds late."""

MAX_CHUNK_BYTES = 1 << 20
"""Most bytes of a chunk: ten seconds at 48 kHz in 16 bit are 960 kB."""

G711_RATE = 8_000
"""Rate of G.711 in Hz, if the Content-Type names no other (RFC 3551)."""

KNOWN_TYPES = [
    "audio/basic",
    "audio/PCMU",
    "audio/PCMA",
    "audio/x-mulaw",
    "audio/L16;rate=8000",
    "audio/x-l16;rate=8000",
    "application/octet-stream;encoding=s16le;rate=8000",
    "audio/wav",
    "audio/x-wav",
]
"""What a 415 lists; 8000 stands for any rate."""

_G711: dict[str, Encoding] = {"audio/pcmu": "mulaw", "audio/x-mulaw": "mulaw", "audio/pcma": "alaw"}
_LITTLE_ENDIAN = ("audio/x-l16", "application/octet-stream")
_WAV = ("audio/wav", "audio/x-wav")


def unknown_type(detail: str) -> Problem:
    """415 that lists the known forms."""
    return Problem(
        415,
        "unknown_form",
        detail,
        headers={"Accept": ", ".join(KNOWN_TYPES)},
        known_types=KNOWN_TYPES,
    )


def parse(content_type: str | None, body: bytes) -> Chunk:
    """The chunk in `body`. Raises Problem 400 (malformed), 413 (too long) or 415 (a form we do not know)."""
    return parse_channels(content_type, body, 1)[0]


def parse_channels(content_type: str | None, body: bytes, channels: int) -> list[Chunk]:
    """The chunks in `body`, one a channel. Raises Problem as `parse` does."""
    if len(body) > MAX_CHUNK_BYTES:
        raise Problem(413, "too_large", f"A chunk is at most {MAX_CHUNK_BYTES} bytes; this one is {len(body)}.")
    form, options = parse_options_header(content_type)
    form = form.lower()
    if not form:
        raise unknown_type("Content-Type is missing. It must name the audio's form.")
    encoding, rate, audio = _read(form, options, body, channels)
    if not audio:
        raise invalid("body", "holds no audio")
    width = SAMPLE_BYTES[encoding]
    if len(audio) % (width * channels):
        each = "16 bit samples" if channels == 1 else f"samples of {channels} channels"
        raise invalid("body", f"has {len(audio)} bytes of audio, not a whole number of {each}")
    seconds = len(audio) / (width * channels) / rate
    if seconds > MAX_CHUNK_SECONDS:
        raise Problem(413, "too_long", f"A chunk is at most {MAX_CHUNK_SECONDS} s; this one is {seconds:.1f} s.")
    if form == "audio/l16":
        audio = np.frombuffer(audio, dtype=np.uint16).byteswap().tobytes()
    samples = np.frombuffer(audio, np.uint8).reshape(-1, channels, width)
    return [Chunk(audio=samples[:, n].tobytes(), encoding=encoding, rate=rate) for n in range(channels)]


def _read(form: str, options: Mapping[str, str], body: bytes, channels: int) -> tuple[Encoding, int, bytes]:
    """(encoding, rate, audio) by the form; 16 bit audio still in the byte order it came in."""
    if form in _WAV:
        return _wav(body, channels)
    if form == "audio/basic":
        _check_channels(options, channels)
        if _rate(options, G711_RATE) != G711_RATE:
            raise invalid("Content-Type", "audio/basic is 8000 Hz; use audio/PCMU;rate=R for another rate")
        return "mulaw", G711_RATE, body
    if form in _G711:
        _check_channels(options, channels)
        return _G711[form], _rate(options, G711_RATE), body
    if form == "audio/l16" or form in _LITTLE_ENDIAN:
        if form == "application/octet-stream" and options.get("encoding", "").lower() != "s16le":
            raise unknown_type("application/octet-stream needs ;encoding=s16le. No other encoding is known.")
        _check_channels(options, channels)
        return "s16le", _rate(options, None), body
    raise unknown_type(f"Content-Type {form[:100]!r} is not known.")


def _rate(options: Mapping[str, str], default: int | None) -> int:
    given = options.get("rate")
    if given is None:
        if default is None:
            raise invalid("Content-Type", "the rate is missing: add ;rate=8000 (or the audio's rate)")
        return default
    if not re.fullmatch(r"[0-9]{1,6}", given):
        raise invalid("Content-Type", "the rate is not a number")
    return _bounded(int(given), "Content-Type")


def _bounded(rate: int, pointer: str) -> int:
    if not MIN_RATE <= rate <= MAX_RATE:
        raise invalid(pointer, f"the rate is {rate} Hz; it must be {MIN_RATE} to {MAX_RATE}")
    return rate


def _check_channels(options: Mapping[str, str], channels: int) -> None:
    if options.get("channels", "1") != str(channels):
        detail = (
            "a track has one channel: post each party as its own track, or name them with ?tracks="
            if channels == 1
            else f"the address names {channels} tracks: add ;channels={channels}"
        )
        raise invalid("Content-Type", detail)


def _wav(body: bytes, channels: int) -> tuple[Encoding, int, bytes]:
    try:
        wave = riff.read(body)
    except riff.UnknownCodecError as error:
        raise unknown_type(str(error)) from None
    except riff.RiffError as error:
        raise invalid("body", str(error)) from None
    if wave.channels != channels:
        raise invalid("body", f"the WAV has {wave.channels} channels, but the address names {channels} tracks")
    return wave.encoding, _bounded(wave.rate, "body"), wave.audio
