"""Which samples of a chunk a recogniser takes, and how it spreads words over time."""

from __future__ import annotations

import pytest

from state.types import Word
from workers.engines.audio import spread_words, wanted_samples

CHUNK = bytes(range(10))  # five samples


def test_the_next_chunk_is_taken_whole() -> None:
    assert wanted_samples(CHUNK, at=100, expected=100, canonical=False) == CHUNK


def test_what_lies_before_the_open_utterance_is_left_out() -> None:
    assert wanted_samples(CHUNK, at=98, expected=100, canonical=True) == CHUNK[4:]
    assert wanted_samples(CHUNK, at=0, expected=100, canonical=True) == b""


@pytest.mark.parametrize(
    ("at", "canonical"), [(101, True), (101, False), (99, False)], ids=["gap", "gap inside", "heard before"]
)
def test_other_audio_is_refused(at: int, canonical: bool) -> None:
    with pytest.raises(ValueError, match="expected at 100"):
        wanted_samples(CHUNK, at, expected=100, canonical=canonical)


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bit"):
        wanted_samples(CHUNK[:3], at=100, expected=100, canonical=True)


def test_words_take_their_share_of_the_time_by_letters() -> None:
    assert spread_words("No, thanks", 10.0, 11.8) == [Word("No,", 10.0, 10.6, None), Word("thanks", 10.6, 11.8, None)]


def test_no_words_are_laid_nowhere() -> None:
    assert spread_words("", 1.0, 2.0) == []
