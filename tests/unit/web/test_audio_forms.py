"""A Content-Type and a body become a chunk: every form, every refusal, and hostile bytes."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.calls.ingest import Chunk
from webapp.http import audio_forms
from webapp.http.audio_forms import KNOWN_TYPES, MAX_CHUNK_BYTES
from webapp.http.problems import Problem

SAMPLES = np.array([0, 1, -1, 256, -32768, 32767], dtype="<i2")
LITTLE = SAMPLES.tobytes()
BIG = SAMPLES.astype(">i2").tobytes()


def pcm_wav(rate: int = 8000, channels: int = 1, width: int = 2, audio: bytes = LITTLE) -> bytes:
    """A WAV file as Python's own library writes it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(audio)
    return file.getvalue()


def riff(*chunks: tuple[bytes, bytes], claimed: dict[bytes, int] | None = None) -> bytes:
    """A RIFF/WAVE of these chunks, padded to even lengths. It has the `claimed` sizes instead of the true ones."""
    body = b"WAVE"
    for name, content in chunks:
        size = (claimed or {}).get(name, len(content))
        body += name + struct.pack("<I", size) + content + b"\0" * (len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def fmt(tag: int = 1, channels: int = 1, rate: int = 8000, bits: int = 16) -> tuple[bytes, bytes]:
    frame = channels * bits // 8
    return b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)


def extensible(tag: int, bits: int, tail: str = "000000001000800000aa00389b71") -> tuple[bytes, bytes]:
    name, head = fmt(0xFFFE, bits=bits)
    return name, head + struct.pack("<HHIH", 22, bits, 4, tag) + bytes.fromhex(tail)


def refused(content_type: str | None, body: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        audio_forms.parse(content_type, body)
    return caught.value


@pytest.mark.parametrize(
    ("content_type", "body", "chunk"),
    [
        ("audio/basic", b"\xff\x7f", Chunk(b"\xff\x7f", "mulaw", 8000)),
        ("audio/basic;rate=8000", b"\xff", Chunk(b"\xff", "mulaw", 8000)),
        ("audio/PCMU", b"\xff", Chunk(b"\xff", "mulaw", 8000)),
        ("audio/pcmu; rate=16000", b"\xff", Chunk(b"\xff", "mulaw", 16000)),
        ('AUDIO/PCMU; Rate="8000"; channels=1', b"\xff", Chunk(b"\xff", "mulaw", 8000)),
        ("audio/x-mulaw", b"\xff", Chunk(b"\xff", "mulaw", 8000)),
        ("audio/PCMA;rate=8000", b"\xd5", Chunk(b"\xd5", "alaw", 8000)),
        ("audio/L16;rate=8000", BIG, Chunk(LITTLE, "s16le", 8000)),
        ("audio/l16;rate=48000;channels=1", BIG, Chunk(LITTLE, "s16le", 48000)),
        ("audio/x-l16;rate=8000", LITTLE, Chunk(LITTLE, "s16le", 8000)),
        ("audio/x-L16; rate=11025", LITTLE, Chunk(LITTLE, "s16le", 11025)),
        ("application/octet-stream;encoding=s16le;rate=8000", LITTLE, Chunk(LITTLE, "s16le", 8000)),
        ("application/octet-stream;rate=8000;encoding=S16LE", LITTLE, Chunk(LITTLE, "s16le", 8000)),
        ("audio/wav", pcm_wav(16000), Chunk(LITTLE, "s16le", 16000)),
        ("audio/x-wav", pcm_wav(), Chunk(LITTLE, "s16le", 8000)),
        ("audio/wav", riff(fmt(7, bits=8), (b"data", b"\xff\x7f")), Chunk(b"\xff\x7f", "mulaw", 8000)),
        ("audio/wav", riff(fmt(6, bits=8), (b"data", b"\xd5")), Chunk(b"\xd5", "alaw", 8000)),
        ("audio/wav", riff(extensible(1, 16), (b"data", LITTLE)), Chunk(LITTLE, "s16le", 8000)),
        ("audio/wav", riff(extensible(7, 8), (b"data", b"\xff")), Chunk(b"\xff", "mulaw", 8000)),
    ],
)
def test_every_known_form_becomes_its_chunk(content_type: str, body: bytes, chunk: Chunk) -> None:
    assert audio_forms.parse(content_type, body) == chunk


def test_chunks_around_the_audio_of_a_wav_are_skipped_and_padding_is_no_audio() -> None:
    body = riff((b"LIST", b"odd"), fmt(7, bits=8), (b"fact", b"1234"), (b"data", b"\xff" * 3), (b"LIST", b"after"))
    assert audio_forms.parse("audio/wav", body) == Chunk(b"\xff" * 3, "mulaw", 8000)


@pytest.mark.parametrize("claimed", [0xFFFFFFFF, 0x7FFFF000])
def test_a_wav_written_to_a_pipe_claims_the_largest_size_and_is_read_to_its_end(claimed: int) -> None:
    body = riff(fmt(), (b"data", LITTLE), claimed={b"data": claimed})
    assert audio_forms.parse("audio/wav", body) == Chunk(LITTLE, "s16le", 8000)


@pytest.mark.parametrize(
    ("content_type", "body", "status", "says"),
    [
        (None, b"\xff", 415, "missing"),
        ("", b"\xff", 415, "missing"),
        ("audio/opus", b"\xff", 415, "audio/opus"),
        ("text/plain", b"\xff", 415, "text/plain"),
        ("audio/basic, audio/PCMU", b"\xff", 415, "not known"),
        ("application/octet-stream", LITTLE, 415, "encoding=s16le"),
        ("application/octet-stream;encoding=f32le;rate=8000", LITTLE, 415, "encoding=s16le"),
        ("application/octet-stream;encoding=s16le", LITTLE, 400, "rate is missing"),
        ("audio/L16", BIG, 400, "rate is missing"),
        ("audio/L16;rate=", BIG, 400, "rate"),
        ("audio/L16;rate=fast", BIG, 400, "not a number"),
        ("audio/L16;rate=-8000", BIG, 400, "not a number"),
        ("audio/L16;rate=８０００", BIG, 400, "rate is missing"),
        ("audio/L16;rate=7999", BIG, 400, "8000 to 48000"),
        ("audio/L16;rate=48001", BIG, 400, "8000 to 48000"),
        ("audio/PCMU;rate=0", b"\xff", 400, "8000 to 48000"),
        ("audio/basic;rate=16000", b"\xff", 400, "audio/basic is 8000 Hz"),
        ("audio/L16;rate=8000;channels=2", BIG, 400, "one channel"),
        ("audio/PCMA;channels=2", b"\xff", 400, "one channel"),
        ("audio/basic;channels=2", b"\xff", 400, "one channel"),
        ("audio/basic", b"", 400, "no audio"),
        ("audio/L16;rate=8000", b"", 400, "no audio"),
        ("audio/L16;rate=8000", b"abc", 400, "3 bytes"),
        ("audio/x-l16;rate=8000", b"a", 400, "1 bytes"),
        ("audio/basic", bytes(80_001), 413, "10 s"),
        ("audio/L16;rate=8000", bytes(160_002), 413, "10 s"),
        ("audio/wav", pcm_wav(audio=bytes(160_002)), 413, "10 s"),
        ("audio/basic", bytes(MAX_CHUNK_BYTES + 1), 413, str(MAX_CHUNK_BYTES)),
        ("audio/wav", b"", 400, "RIFF"),
        ("audio/wav", b"RIFX" + pcm_wav()[4:], 400, "RIFF"),
        ("audio/wav", pcm_wav()[:20], 400, "cut off"),
        ("audio/wav", pcm_wav()[:36], 400, "no data chunk"),
        ("audio/wav", pcm_wav()[:-2], 400, "cut off"),
        ("audio/wav", riff((b"data", LITTLE), fmt()), 400, "before its fmt"),
        ("audio/wav", riff((b"fmt ", b"\x01\x00"), (b"data", LITTLE)), 400, "too short"),
        ("audio/wav", riff(fmt(), (b"data", b"")), 400, "no audio"),
        ("audio/wav", riff(fmt(), (b"data", b"abc")), 400, "3 bytes"),
        ("audio/wav", pcm_wav(channels=2), 400, "2 channels"),
        ("audio/wav", riff(fmt(channels=0), (b"data", LITTLE)), 400, "0 channels"),
        ("audio/wav", pcm_wav(rate=96000), 400, "8000 to 48000"),
        ("audio/wav", riff(fmt(rate=0), (b"data", LITTLE)), 400, "8000 to 48000"),
        ("audio/wav", pcm_wav(width=1), 415, "8 bit"),
        ("audio/wav", riff(fmt(3, bits=32), (b"data", LITTLE)), 415, "format tag 3"),
        ("audio/wav", riff(extensible(1, 16, tail="00" * 14), (b"data", LITTLE)), 415, "extensible"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(
    content_type: str | None, body: bytes, status: int, says: str
) -> None:
    problem = refused(content_type, body)
    assert (problem.status, says in problem.detail) == (status, True), problem.detail
    assert (problem.known_types == KNOWN_TYPES) == (status == 415)


LEFT, RIGHT = SAMPLES[:4], SAMPLES[2:]
BOTH = np.stack([LEFT, RIGHT], axis=1)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("audio/L16;rate=16000;channels=2", BOTH.astype(">i2").tobytes()),
        ("audio/x-l16;rate=16000;channels=2", BOTH.tobytes()),
        ("audio/wav", pcm_wav(16000, channels=2, audio=BOTH.tobytes())),
    ],
)
def test_channels_are_split_into_chunks(content_type: str, body: bytes) -> None:
    split = audio_forms.parse_channels(content_type, body, 2)
    assert split == [Chunk(side.tobytes(), "s16le", 16000) for side in (LEFT, RIGHT)]


def test_channels_of_g711_are_split_byte_by_byte() -> None:
    split = audio_forms.parse_channels("audio/PCMU;channels=3", b"abcABC", 3)
    assert split == [Chunk(both, "mulaw", 8000) for both in (b"aA", b"bB", b"cC")]


@pytest.mark.parametrize(
    ("content_type", "body", "says"),
    [
        ("audio/L16;rate=8000", BIG, "channels=2"),
        ("audio/L16;rate=8000;channels=3", BIG, "channels=2"),
        ("audio/basic", b"abcd", "channels=2"),
        ("audio/wav", pcm_wav(), "1 channels"),
        ("audio/L16;rate=8000;channels=2", b"abcdef", "6 bytes"),
        ("audio/PCMU;channels=2", b"abc", "3 bytes"),
    ],
)
def test_audio_without_the_channels_that_are_named_is_refused(content_type: str, body: bytes, says: str) -> None:
    with pytest.raises(Problem) as caught:
        audio_forms.parse_channels(content_type, body, 2)
    assert (caught.value.status, says in caught.value.detail) == (400, True), caught.value.detail


def test_ten_seconds_of_each_channel_are_taken() -> None:
    assert len(audio_forms.parse_channels("audio/PCMU;channels=2", bytes(160_000), 2)) == 2
    with pytest.raises(Problem) as caught:
        audio_forms.parse_channels("audio/PCMU;channels=2", bytes(160_002), 2)
    assert caught.value.status == 413


def test_ten_seconds_are_taken_at_every_rate() -> None:
    for rate in (8000, 48000):
        assert audio_forms.parse(f"audio/L16;rate={rate}", bytes(20 * rate)).samples == 10 * rate


FORMS = st.sampled_from([*KNOWN_TYPES, "audio/PCMU;rate=9999999", "audio/L16", "audio/L16;rate=44100"])


def is_sound(chunk: Chunk) -> bool:
    return chunk.samples > 0 and 8000 <= chunk.rate <= 48000 and chunk.samples <= 10 * chunk.rate


@given(st.one_of(FORMS, st.text(max_size=60)), st.binary(max_size=300))
def test_no_bytes_and_no_content_type_bring_anything_but_a_chunk_or_a_problem(content_type: str, body: bytes) -> None:
    try:
        chunk = audio_forms.parse(content_type, body)
    except Problem as problem:
        assert problem.status in (400, 413, 415)
    else:
        assert is_sound(chunk)


@given(
    st.lists(st.tuples(st.sampled_from([b"fmt ", b"data", b"LIST", b"fact"]), st.binary(max_size=60)), max_size=5),
    st.dictionaries(st.sampled_from([b"fmt ", b"data", b"LIST"]), st.integers(0, 2**32 - 1)),
    st.binary(max_size=20),
    st.integers(0, 40),
)
def test_no_riff_brings_anything_but_a_chunk_or_a_problem(
    chunks: list[tuple[bytes, bytes]], claimed: dict[bytes, int], tail: bytes, cut: int
) -> None:
    body = riff(fmt(7, bits=8), *chunks, claimed=claimed) + tail
    try:
        chunk = audio_forms.parse("audio/wav", body[: len(body) - cut])
    except Problem as problem:
        assert problem.status in (400, 413, 415)
    else:
        assert is_sound(chunk)
