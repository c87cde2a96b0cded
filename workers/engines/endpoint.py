"""Where utterances begin and end: rules over the speech probabilities of consecutive frames.

Pure arithmetic: no audio, no engine. The rules see frames counted from `open_from`, so that replaying the
open utterance's audio rebuilds exactly the state that was lost. The values were chosen by word error rate on
the demo calls (scripts/benchmarks/decode.py measures them again).
"""

from __future__ import annotations

from typing import NamedTuple

FRAME_SECONDS = 0.032
"""Length of a frame: the window the voice detector is trained for."""

SPEECH_PROBABILITY = 0.5
"""A frame at least this likely to be speech can begin an utterance (the detector's own recommendation)."""

VOICE_PROBABILITY = 0.35
"""Inside an utterance a frame at least this likely still counts as voice, so that soft word ends are kept."""

START_FRAMES = 3
"""So many consecutive speech frames (0.1 s) begin an utterance; a click is shorter."""

END_SILENCE_FRAMES = 19
"""So many frames (0.6 s) without voice end an utterance."""

PAD_FRAMES = 8
"""Frames (0.26 s) decoded before and after the detected speech: weak onsets and fading ends lie there."""

MIN_VOICED_FRAMES = 7
"""Pieces with fewer voiced frames (0.22 s) are dropped: on less than that the model invents words."""

MAX_FRAMES = 406
"""An utterance is cut after so many frames (13 s): bounds the journal, replay and what the model is given."""

CUT_WINDOW_FRAMES = 125
"""A forced cut looks for the quietest moment among so many last frames (4 s)."""

IDLE_FRAMES = 125
"""After so many frames (4 s) in which no utterance began, `open_from` moves forward ..."""

PREROLL_FRAMES = 16
"""... to so many frames (0.5 s) before the present, so that an onset under way is not lost."""


class Boundary(NamedTuple):
    """The open utterance is over.

    speech:    [first, end) frames to decode, without padding; None if there was no (or too little) speech.
    next_from: frame at whose left edge the next open utterance begins.
    forced:    the speaker went on; the utterance was cut for its length.
    """

    speech: tuple[int, int] | None
    next_from: int
    forced: bool = False


class Endpointer:
    """The rules' state for one open utterance. Start a new one at every boundary."""

    def __init__(self) -> None:
        self._probabilities: list[float] = []
        self._energies: list[float] = []
        self._first: int | None = None
        self._end = 0
        self._run = 0

    @property
    def frames(self) -> int:
        """How many frames were pushed since `open_from`."""
        return len(self._probabilities)

    def push(self, probability: float, energy: float) -> Boundary | None:
        """Take the next frame's speech probability (0..1) and energy (any unit): does it end the utterance?"""
        self._probabilities.append(probability)
        self._energies.append(energy)
        self._run = self._run + 1 if probability >= SPEECH_PROBABILITY else 0
        if self._first is None:
            if self._run >= START_FRAMES:
                self._first = self.frames - self._run
                self._end = self.frames
            elif self.frames >= IDLE_FRAMES:
                return Boundary(None, self.frames - PREROLL_FRAMES)
            return None
        if probability >= VOICE_PROBABILITY:
            self._end = self.frames
        if self.frames - self._end >= END_SILENCE_FRAMES:
            return Boundary(self.speech(), self._end + PAD_FRAMES)
        if self.frames - self._first >= MAX_FRAMES:
            return self._forced(self._first)
        return None

    def speech(self) -> tuple[int, int] | None:
        """[first, end) frames of the speech so far; None if there is none, or too little to be decoded."""
        return self._speech_until(self._end)

    def voiced_since(self, frame: int) -> int:
        """How many frames from `frame` on hold voice of an utterance that has begun."""
        if self._first is None:
            return 0
        start = max(frame, self._first)
        return sum(probability >= VOICE_PROBABILITY for probability in self._probabilities[start : self._end])

    def _speech_until(self, end: int) -> tuple[int, int] | None:
        if self._first is None:
            return None
        voiced = [f for f in range(self._first, end) if self._probabilities[f] >= VOICE_PROBABILITY]
        if len(voiced) < MIN_VOICED_FRAMES:
            return None
        return self._first, voiced[-1] + 1

    def _forced(self, first: int) -> Boundary:
        """Cut where three frames together are quietest; in doubt later, to leave less to the next."""
        candidates = range(max(first + 1, self.frames - CUT_WINDOW_FRAMES), self.frames - 1)
        cut = min(candidates, key=lambda frame: (sum(self._energies[frame - 1 : frame + 2]), -frame))
        return Boundary(self._speech_until(cut), cut, forced=True)
