"""A call's recording, over the API."""

from __future__ import annotations

import msgspec


class ApiSilence(msgspec.Struct):
    """Seconds of a recording that are silent. why: missing (no audio came), secret (redaction masked what was said) or
    paused."""

    start: float
    end: float
    why: str


class ApiRecording(msgspec.Struct):
    """A call's recording, FLAC, agent left and customer right. left, right: the waveform: how loud each step of `step`
    seconds is at most, 0 to 100."""

    seconds: float
    rate: int
    bytes: int
    silences: list[ApiSilence]
    step: float
    left: list[int]
    right: list[int]
