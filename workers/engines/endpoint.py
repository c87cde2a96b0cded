"""Where utterances begin and end: rules over the speech probabilities of consecutive frames.

Pure arithmetic: no audio, no engine. The rules count frames from `open_from`. So a replay of the open utterance's audio
rebuilds exactly the state that was lost. The values gave the fewest word errors on the demo calls (`scripts/bench
engine` measures them again).
"""

from __future__ import annotations

from typing import NamedTuple

FRAME_SECONDS = 0.032
"""Seconds of a frame: the window the voice detector is trained for."""

SPEECH_PROBABILITY = 0.5
"""Least probability of speech in a frame that begins an utterance (the detector's own recommendation)."""

VOICE_PROBABILITY = 0.35
"""Least probability in a frame that still counts as voice inside an utterance. It keeps soft word ends."""

START_FRAMES = 3
"""Consecutive frames of speech that begin an utterance (0.1 s). A click is shorter."""

END_SILENCE_FRAMES = 19
"""Frames without voice that end an utterance (0.6 s)."""

PAD_FRAMES = 8
"""Frames decoded before and after the detected speech (0.26 s). Weak beginnings and fading ends lie there."""

MIN_VOICED_FRAMES = 7
"""Fewest frames with voice in an utterance (0.22 s). With less the model invents words."""

MAX_FRAMES = 406
"""Most frames of an utterance (13 s). This limits the journal, a replay and what the model gets."""

CUT_WINDOW_FRAMES = 125
"""Last frames in which a forced cut looks for the quietest moment (4 s)."""

IDLE_FRAMES = 125
"""After so many frames (4 s) in which no utterance began, `open_from` moves forward ..."""

PREROLL_FRAMES = 16
"""... to so many frames (0.5 s) before the present, so that an onset under way is not lost."""


STRONG_PROBABILITY = 0.9
"""Probability that words reach again and again, and noise behind words hardly ever."""

LOOK_FRAMES = 62
"""Last frames (2 s) that a detector without memory hears again when it is doubtful whether anybody still speaks."""

LOOK_EVERY_FRAMES = 94
"""Frames (3 s) of an open utterance until it hears them again without a doubt."""

LOOK_PROBABILITY = 0.2
"""Least probability with which that detector may have heard a weak voice."""

LOOK_VOICED_FRAMES = 5
"""At least so many of these frames have a weak voice while somebody speaks. Chosen on the demo calls with noise behind
each turn: no utterance is cut."""


class Boundary(NamedTuple):
    """The end of the open utterance.

    speech:    [first, end) frames to decode, without padding; None if there was no (or too little) speech.
    next_from: frame at whose left edge the next open utterance begins.
    shortened: it ends before the last voice that the rules had counted, because it was too long or its words were over.
    """

    speech: tuple[int, int] | None
    next_from: int
    shortened: bool = False


class Endpointer:
    """The rules' state for one open utterance. Start a new one at every boundary."""

    def __init__(self) -> None:
        self._probabilities: list[float] = []
        self._energies: list[float] = []
        self._first: int | None = None
        self._end = 0
        self._run = 0
        self._strong = 0  # the frame after the last strong one
        self._looked = 0  # the frame after the last look

    @property
    def frames(self) -> int:
        """Number of frames since `open_from`."""
        return len(self._probabilities)

    def push(self, probability: float, energy: float) -> Boundary | None:
        """Take the next frame's speech probability (0..1) and energy (any unit). Returns the end of the utterance, if
        it is one."""
        self._probabilities.append(probability)
        self._energies.append(energy)
        self._run = self._run + 1 if probability >= SPEECH_PROBABILITY else 0
        if probability >= STRONG_PROBABILITY:
            self._strong = self.frames
        if self._first is None:
            if self._run >= START_FRAMES:
                self._first = self.frames - self._run
                self._end = self._looked = self._strong = self.frames
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

    @property
    def doubtful(self) -> bool:
        """Whether to hear the last LOOK_FRAMES again with a detector that has no memory, and to say so to `look`.

        A detector that has heard words takes music or noise behind them for voice, for seconds.
        """
        if self._first is None:
            return False
        weak = self.frames - max(self._strong, self._looked) >= LOOK_FRAMES
        return weak or self.frames - self._looked >= LOOK_EVERY_FRAMES

    def look(self, probabilities: list[float]) -> Boundary | None:
        """Take what that detector says of the last LOOK_FRAMES. Returns the end of the utterance if its words are over.

        The next one begins as after a silence.
        """
        self._looked = self.frames
        if sum(probability >= LOOK_PROBABILITY for probability in probabilities) >= LOOK_VOICED_FRAMES:
            return None
        end = min(self._end, self.frames - LOOK_FRAMES)
        return Boundary(self._speech_until(end), self.frames - PREROLL_FRAMES, shortened=True)

    def speech(self) -> tuple[int, int] | None:
        """[first, end) frames of the speech so far. None if there is none, or too little to decode."""
        return self._speech_until(self._end)

    def voiced_since(self, frame: int) -> int:
        """Number of frames with voice, from `frame` on, of an utterance that has begun."""
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
        """Cut where three frames together are quietest. Among equals take the last, which leaves less to the next
        utterance."""
        candidates = range(max(first + 1, self.frames - CUT_WINDOW_FRAMES), self.frames - 1)
        cut = min(candidates, key=lambda frame: (sum(self._energies[frame - 1 : frame + 2]), -frame))
        return Boundary(self._speech_until(cut), cut, shortened=True)
