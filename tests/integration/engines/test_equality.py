"""Any worker can take the next chunk of a track: the same tests for every engine."""

from __future__ import annotations

import random

import msgspec
import pytest

from tests.integration.engines.conftest import Speech
from workers.engines.base import DeterminismFault, Final, Model
from workers.engines.selfcheck import Decoding, decode


@pytest.fixture(scope="module")
def warm(model: Model, speech: Speech) -> Decoding:
    """The speech as one recogniser decodes it in chunks of a second. All other ways must give the same."""
    return decode(model, speech.pcm, speech.rate, speech.rate, lambda _number: False)


def encoded(decoding: Decoding) -> bytes:
    return msgspec.msgpack.encode(decoding)


def test_the_speech_is_understood_as_several_utterances_in_order(warm: Decoding, speech: Speech) -> None:
    seconds = len(speech.pcm) / 2 / speech.rate
    times = [moment for final in warm.finals for moment in (final.start, final.end)]
    assert len(warm.finals) >= 2
    assert all(final.text for final in warm.finals)
    assert times == sorted(times)
    assert times[0] >= 0 and times[-1] <= seconds


def test_words_carry_the_text_and_lie_inside_their_utterance(warm: Decoding) -> None:
    for final in warm.finals:
        assert " ".join(word.word for word in final.words) == final.text
        moments = [moment for word in final.words for moment in (word.start, word.end)]
        assert moments == sorted(moments)
        assert (final.words[0].start, final.words[-1].end) == (final.start, final.end)


def test_a_partial_is_shown_before_its_utterance_ends(warm: Decoding) -> None:
    assert any(snapshot.partial for snapshot in warm.snapshots)


def test_a_new_worker_for_every_chunk_changes_no_byte(model: Model, speech: Speech, warm: Decoding) -> None:
    cold = decode(model, speech.pcm, speech.rate, speech.rate, lambda _number: True)
    assert encoded(cold) == encoded(warm)


@pytest.mark.parametrize("seed", [1, 2])
def test_moves_at_random_moments_change_no_byte(model: Model, speech: Speech, warm: Decoding, seed: int) -> None:
    dice = random.Random(seed)
    moved = decode(model, speech.pcm, speech.rate, speech.rate, lambda _number: dice.random() < 0.25)
    assert encoded(moved) == encoded(warm)


def test_the_open_utterance_never_grows_without_bound(warm: Decoding, speech: Speech) -> None:
    for number, snapshot in enumerate(warm.snapshots, 1):
        assert number * speech.rate - snapshot.open_from <= 21 * speech.rate


def test_after_a_flush_audio_may_go_on_later_and_times_tell(model: Model, speech: Speech) -> None:
    gap = 7 * speech.rate
    piece = speech.pcm[: 2 * 8 * speech.rate // 5]

    def finals_at(start: int) -> list[Final]:
        recogniser = model.recogniser(speech.rate, None, start)
        return recogniser.accept(piece, start) + recogniser.flush()

    expected = finals_at(0)
    recogniser = model.recogniser(speech.rate, None)
    first = recogniser.accept(piece, 0) + recogniser.flush()
    later = len(piece) // 2 + gap
    second = recogniser.accept(piece, later) + recogniser.flush()

    assert first == expected
    assert [final.text for final in second] == [final.text for final in expected]
    assert second == finals_at(later)
    assert second[0].start == pytest.approx(expected[0].start + later / speech.rate, abs=0.0011)
    assert recogniser.snapshot(True).open_from == later + len(piece) // 2


def test_a_flush_of_nothing_gives_nothing(model: Model) -> None:
    recogniser = model.recogniser(8000, None)
    assert recogniser.flush() == []
    assert recogniser.accept(b"", 0) == []
    assert recogniser.flush() == []


def test_half_a_sample_is_refused_and_changes_nothing(model: Model, speech: Speech) -> None:
    chunk = speech.pcm[: 2 * speech.rate]
    recogniser = model.recogniser(speech.rate, None)
    recogniser.accept(chunk, 0)
    before = recogniser.snapshot(True)
    for refused in (recogniser.accept, recogniser.replay):
        with pytest.raises(ValueError, match="16 bit"):
            refused(b"\0\0\0", speech.rate)
    assert recogniser.snapshot(True) == before
    recogniser.accept(speech.pcm[2 * speech.rate : 4 * speech.rate], speech.rate)


@pytest.mark.parametrize("at", [-1, 1])
def test_audio_out_of_order_is_refused(model: Model, speech: Speech, at: int) -> None:
    recogniser = model.recogniser(speech.rate, None)
    recogniser.accept(speech.pcm[: speech.rate], 0)
    with pytest.raises(ValueError, match="expected at"):
        recogniser.accept(speech.pcm[: speech.rate], speech.rate // 2 + at)


def test_replaying_a_journal_that_begins_too_late_is_refused(model: Model, speech: Speech) -> None:
    recogniser = model.recogniser(speech.rate, None)
    with pytest.raises(ValueError, match="expected at 0"):
        recogniser.replay(speech.pcm[: speech.rate], speech.rate)


def test_an_utterance_that_ends_in_replay_is_an_alarm(model: Model, speech: Speech) -> None:
    beginning = model.recogniser(speech.rate, None).snapshot(False)
    recogniser = model.recogniser(speech.rate, beginning)
    with pytest.raises(DeterminismFault):
        for at in range(0, len(speech.pcm) // 2, speech.rate):
            recogniser.replay(speech.pcm[2 * at : 2 * (at + speech.rate)], at)


def test_another_models_snapshot_is_refused(model: Model) -> None:
    snapshot = msgspec.structs.replace(model.recogniser(8000, None).snapshot(False), model="another")
    with pytest.raises(ValueError, match="another"):
        model.recogniser(8000, snapshot)


@pytest.mark.parametrize("rate", [0, -1, 7999, 48001])
def test_a_rate_out_of_range_is_refused(model: Model, rate: int) -> None:
    with pytest.raises(ValueError, match=r"8000\.\.48000"):
        model.recogniser(rate, None)


def test_a_warm_recogniser_tells_what_it_costs(model: Model, speech: Speech) -> None:
    recogniser = model.recogniser(speech.rate, None)
    idle = recogniser.memory_bytes
    recogniser.accept(speech.pcm[: 4 * speech.rate], 0)
    assert 0 < idle <= recogniser.memory_bytes < 200_000_000
