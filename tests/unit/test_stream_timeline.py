"""The place of a frame comes from lengths and numbers, and from the sender's clock where it agrees with them."""

from __future__ import annotations

import pytest

from webapp.streams.joiner import Frame, Joiner, Piece
from webapp.streams.timeline import Timeline

FRAME = 320
"""40 ms of 8 bit audio at 8000 Hz."""


def timeline(at: int = 0) -> tuple[Timeline, Joiner]:
    joiner = Joiner("mulaw", 8000, 500, at)
    return Timeline(joiner, 1), joiner


def frame(number: int, at: int | None, missing: bool = False) -> Frame:
    return Frame(number, bytes([1 + number % 250]) * FRAME, at, missing)


def joined(line: Timeline, joiner: Joiner, frames: list[Frame]) -> bytes:
    pieces: list[Piece] = [piece for one in frames for piece in line.add(one)]
    return b"".join(piece.audio for piece in pieces + joiner.flush())


@pytest.mark.parametrize("step", [160, 0, 40])
def test_a_clock_that_counts_less_than_the_frames_hold_costs_nothing(step: int) -> None:
    line, joiner = timeline()
    frames = [frame(n, step * n) for n in range(1, 200)]
    assert joined(line, joiner, frames) == b"".join(one.audio for one in frames)
    assert line.clock_is_wrong


def test_after_a_reconnection_such_a_clock_costs_nothing_either() -> None:
    line, joiner = timeline(at=100 * FRAME)
    frames = [frame(n, 160 * n) for n in range(101, 200)]
    assert joined(line, joiner, frames) == b"".join(one.audio for one in frames)
    assert line.left_out == 0


def test_with_a_wrong_clock_lost_frames_are_counted_by_their_numbers() -> None:
    line, joiner = timeline()
    before = [frame(n, 160 * n) for n in range(1, 50)]
    joined(line, joiner, before)
    joined(line, joiner, [frame(53, 160 * 53, missing=True)])
    assert joiner.end == 53 * FRAME


def test_a_sound_clock_leaves_out_what_was_sent_before_and_says_how_much() -> None:
    line, joiner = timeline(at=100 * FRAME)
    frames = [frame(n, FRAME * (n - 1)) for n in range(61, 200)]
    assert joined(line, joiner, frames) == b"".join(one.audio for one in frames[40:])
    assert not line.clock_is_wrong and line.left_out == 40 * FRAME


def test_a_sound_clock_finds_a_hole_and_a_wandering_one_is_not_taken_for_wrong() -> None:
    line, joiner = timeline()
    at = [FRAME * n + (n * 37 % 60) - 30 for n in range(100)]
    joined(line, joiner, [frame(n + 1, at[n]) for n in range(100)])
    assert joiner.end == 100 * FRAME and not line.clock_is_wrong
    joined(line, joiner, [frame(101, 100 * FRAME + 80_000)])
    assert joiner.end == 101 * FRAME + 80_000


def test_an_empty_frame_is_nothing() -> None:
    line, joiner = timeline()
    assert line.add(Frame(1, b"", 0)) == []
    assert joiner.end == 0
