"""The endpoint rules, on made-up probabilities."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.engines.endpoint import (
    END_SILENCE_FRAMES,
    IDLE_FRAMES,
    LOOK_EVERY_FRAMES,
    LOOK_FRAMES,
    LOOK_VOICED_FRAMES,
    MAX_FRAMES,
    MIN_VOICED_FRAMES,
    PAD_FRAMES,
    PREROLL_FRAMES,
    START_FRAMES,
    Boundary,
    Endpointer,
)

SPEECH, SILENCE = 0.95, 0.02


def push(endpointer: Endpointer, *runs: tuple[float, int]) -> list[Boundary]:
    """Push runs of equal frames. Returns the boundaries that were found."""
    found = [endpointer.push(probability, probability) for probability, count in runs for _ in range(count)]
    return [boundary for boundary in found if boundary is not None]


def test_silence_after_speech_ends_the_utterance() -> None:
    (boundary,) = push(Endpointer(), (SILENCE, 10), (SPEECH, 40), (SILENCE, END_SILENCE_FRAMES))
    assert boundary == Boundary((10, 50), 50 + PAD_FRAMES)


def test_a_pause_inside_an_utterance_does_not_end_it() -> None:
    pause = END_SILENCE_FRAMES - 1
    (boundary,) = push(Endpointer(), (SPEECH, 20), (SILENCE, pause), (SPEECH, 20), (SILENCE, END_SILENCE_FRAMES))
    assert boundary.speech == (0, 40 + pause)


def test_a_soft_ending_belongs_to_the_utterance_but_cannot_begin_one() -> None:
    soft = 0.4
    endpointer = Endpointer()
    assert push(endpointer, (soft, 30)) == []
    assert endpointer.speech() is None
    (boundary,) = push(endpointer, (SPEECH, 10), (soft, 10), (SILENCE, END_SILENCE_FRAMES))
    assert boundary.speech == (30, 50)


def test_a_click_is_no_speech() -> None:
    endpointer = Endpointer()
    assert push(endpointer, (SPEECH, 2), (SILENCE, 40)) == []
    assert endpointer.speech() is None


def test_a_short_noise_ends_without_anything_to_decode() -> None:
    (boundary,) = push(Endpointer(), (SPEECH, MIN_VOICED_FRAMES - 1), (SILENCE, END_SILENCE_FRAMES))
    assert boundary.speech is None


def test_long_silence_moves_on_and_keeps_a_preroll() -> None:
    (boundary,) = push(Endpointer(), (SILENCE, IDLE_FRAMES))
    assert boundary == Boundary(None, IDLE_FRAMES - PREROLL_FRAMES)


def test_endless_speech_is_cut_at_its_quietest_moment() -> None:
    endpointer = Endpointer()
    energies = [100.0] * MAX_FRAMES
    energies[350:353] = [3.0, 1.0, 3.0]
    found = [endpointer.push(SPEECH, energy) for energy in energies]
    assert found[-1] == Boundary((0, 351), 351, shortened=True)
    assert found[:-1] == [None] * (MAX_FRAMES - 1)


def test_voice_is_counted_from_a_frame_on() -> None:
    endpointer = Endpointer()
    push(endpointer, (SILENCE, 5), (SPEECH, 10), (SILENCE, 5), (SPEECH, 10))
    assert endpointer.voiced_since(0) == 20
    assert endpointer.voiced_since(12) == 13
    assert endpointer.voiced_since(30) == 0


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0]), st.floats(0, 1e9)), max_size=1200))
def test_boundaries_always_move_forward_and_lie_inside_what_was_heard(frames: list[tuple[float, float]]) -> None:
    endpointer = Endpointer()
    for probability, energy in frames:
        boundary = endpointer.push(probability, energy)
        if boundary is None:
            assert endpointer.frames < MAX_FRAMES + IDLE_FRAMES
            continue
        assert 0 < boundary.next_from <= endpointer.frames
        if boundary.speech is not None:
            first, end = boundary.speech
            assert 0 <= first < end <= boundary.next_from
        endpointer = Endpointer()


def test_noise_that_keeps_an_utterance_open_is_heard_again_and_ends_it() -> None:
    weak = 0.4
    endpointer = Endpointer()
    assert push(endpointer, (SILENCE, 10), (SPEECH, 20), (weak, LOOK_FRAMES - 1)) == []
    assert not endpointer.doubtful
    assert push(endpointer, (weak, 1)) == []
    assert endpointer.doubtful
    boundary = endpointer.look([SILENCE] * LOOK_FRAMES)
    assert boundary == Boundary((10, 30), 30 + LOOK_FRAMES - PREROLL_FRAMES, shortened=True)


def test_a_weak_voice_goes_on_after_it_was_heard_again() -> None:
    endpointer = Endpointer()
    push(endpointer, (SPEECH, 20), (0.4, LOOK_FRAMES))
    assert endpointer.look([0.3] * LOOK_VOICED_FRAMES + [SILENCE] * (LOOK_FRAMES - LOOK_VOICED_FRAMES)) is None
    assert not endpointer.doubtful
    push(endpointer, (0.4, LOOK_FRAMES))
    assert endpointer.doubtful


def test_a_certain_voice_is_heard_again_now_and_then() -> None:
    endpointer = Endpointer()
    push(endpointer, (SPEECH, LOOK_EVERY_FRAMES + START_FRAMES - 1))
    assert not endpointer.doubtful
    push(endpointer, (SPEECH, 1))
    assert endpointer.doubtful
