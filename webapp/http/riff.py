"""WAV as telephony writes it: RIFF with 16 bit PCM or G.711. (The standard library's `wave` refuses G.711.)

It is made for hostile input: it believes nothing beyond the bytes that it has.
"""

from __future__ import annotations

import struct

import msgspec

from state.types import Encoding

_EXTENSIBLE = 0xFFFE
_CODECS: dict[tuple[int, int], Encoding] = {(1, 16): "s16le", (6, 8): "alaw", (7, 8): "mulaw"}
"""(format tag, bits a sample) of Microsoft's WAVEFORMATEX."""

_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
"""The bytes after the format tag in a WAVEFORMATEXTENSIBLE sub-format that stands for a plain format tag."""

_UNKNOWN_SIZE = 0x7FFF_0000
"""A writer to a pipe cannot know the size and claims the largest: all ones (ffmpeg), about 2^31 (sox)."""


class RiffError(ValueError):
    """Not a readable WAV. The message says why."""


class UnknownCodecError(RiffError):
    """A sound WAV in an unknown coding."""


class Wave(msgspec.Struct, frozen=True):
    """The content of a WAV. `audio`: samples, interleaved if there is more than one channel. `rate` in Hz."""

    encoding: Encoding
    rate: int
    channels: int
    audio: bytes


def read(data: bytes) -> Wave:
    """The first `data` chunk of a WAV. Raises RiffError."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise RiffError("is no RIFF/WAVE file")
    form: tuple[Encoding, int, int] | None = None
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        left = len(data) - at
        if name == b"data":
            if form is None:
                raise RiffError("has a data chunk before its fmt chunk")
            if size > left and size < _UNKNOWN_SIZE:
                raise RiffError(f"is cut off: its data chunk promises {size} bytes and {left} are there")
            encoding, rate, channels = form
            return Wave(encoding, rate, channels, data[at : at + min(size, left)])
        if size > left:
            raise RiffError("is cut off inside its header")
        if name == b"fmt ":
            form = _format(data[at : at + size])
        at += size + size % 2
    raise RiffError("has no data chunk")


def _format(fmt: bytes) -> tuple[Encoding, int, int]:
    """(encoding, rate, channels) from the body of the fmt chunk."""
    if len(fmt) < 16:
        raise RiffError("has a fmt chunk that is too short")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", fmt)
    if tag == _EXTENSIBLE:
        if len(fmt) < 40 or fmt[26:40] != _GUID_TAIL:
            raise UnknownCodecError("The WAV's extensible format is not known.")
        (tag,) = struct.unpack_from("<H", fmt, 24)
    if (tag, bits) not in _CODECS:
        raise UnknownCodecError(
            f"The WAV's coding (format tag {tag}, {bits} bit) is not known; 16 bit PCM and G.711 are."
        )
    return _CODECS[tag, bits], rate, channels
