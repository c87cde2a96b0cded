"""The G.711 tables have the standard's values, and those of audioop where Python still has it."""

from __future__ import annotations

import numpy as np
import pytest

from state.g711 import decode_alaw, decode_mulaw, encode_mulaw


def samples(pcm: bytes) -> list[int]:
    return np.frombuffer(pcm, "<i2").tolist()


def test_mulaw_has_the_standards_extremes_and_two_zeros() -> None:
    assert samples(decode_mulaw(b"\x00\x80\x7f\xff")) == [-32124, 32124, 0, 0]


def test_alaw_has_the_standards_extremes_and_no_zero() -> None:
    assert samples(decode_alaw(b"\x2a\xaa\x55\xd5")) == [-32256, 32256, -8, 8]


def test_nothing_decodes_to_nothing() -> None:
    assert decode_mulaw(b"") == decode_alaw(b"") == encode_mulaw(b"") == b""


def test_coding_a_decoded_sample_gives_it_back() -> None:
    codes = bytes(code for code in range(256) if code != 0x7F)  # 0x7F is the other zero
    assert encode_mulaw(decode_mulaw(codes)) == codes


def test_coding_errs_by_at_most_half_a_step() -> None:
    original = np.arange(-32635, 32636, dtype=np.int64)
    decoded = np.frombuffer(decode_mulaw(encode_mulaw(original.astype("<i2").tobytes())), "<i2")
    assert (np.abs(decoded - original) <= np.abs(original) / 32 + 8).all()


def test_half_a_sample_cannot_be_coded() -> None:
    with pytest.raises(ValueError):
        encode_mulaw(b"\0")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_tables_equal_audioops() -> None:
    audioop = pytest.importorskip("audioop")
    codes = bytes(range(256))
    every_sample = np.arange(-32768, 32768).astype("<i2").tobytes()
    assert decode_mulaw(codes) == audioop.ulaw2lin(codes, 2)
    assert decode_alaw(codes) == audioop.alaw2lin(codes, 2)
    assert encode_mulaw(every_sample) == audioop.lin2ulaw(every_sample, 2)
