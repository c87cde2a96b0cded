"""The form of every speech engine for the fleet: one shared immutable model, one recogniser a track.

The contract that lets any worker take the next chunk:

* A recogniser depends only on the audio since `open_from`, the first sample of the open utterance, cut at the same
  chunk boundaries. At each endpoint the engine puts it into a canonical state: nothing from before `open_from` has an
  effect afterwards. So a *warm* recogniser (kept in memory) and a *cold* one (built from a Snapshot, then fed the
  journal's chunks through `replay`) return the same bytes from then on.
* A recogniser is only a cache. The store keeps its Snapshot, and the journal replaces the lost memory.

An engine knows no Redis, no call and no worker. Only one thread at a time uses a recogniser.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from state.types import Word


class DeterminismFault(RuntimeError):
    """A replay of the journal gave a final where the first decoding gave none. This worker decodes differently."""


class RecogniserLost(RuntimeError):
    """Something outside killed the recogniser, as the kernel does when memory is out, or kept it from being made.

    The audio is not to blame. Throw the recogniser away; the journal has what it heard.
    """


class ModelUnusable(RuntimeError):
    """The model cannot be loaded, or decodes the same audio differently from run to run. One clear sentence."""


class Final(msgspec.Struct, frozen=True):
    """A finished utterance. Times are seconds from the track's sample 0, rounded to milliseconds.

    `text` is never empty: an engine drops finals without words.
    """

    start: float
    end: float
    text: str
    words: list[Word]


class Snapshot(msgspec.Struct, frozen=True):
    """A recogniser's state, saved so that any worker can go on. It is small, and the same for all engines.

    model:      identity of the model that wrote it; a reader with another identity decodes the open utterance
                again from the journal instead of replaying it.
    open_from:  sample index (track clock) at which the open utterance begins.
    partial:    text of the open utterance as last shown; "" if none.
    partial_at: sample index up to which `partial` was computed. An engine whose partials cost much decides by it when
                the next one is due, so a cold recogniser decides as a warm one does.
    """

    model: str
    open_from: int
    partial: str = ""
    partial_at: int = 0


def begun(model: str, snapshot: Snapshot | None, open_from: int) -> Snapshot:
    """The state that a recogniser of the model (its identity) begins with: the snapshot, or without one the canonical
    state at sample `open_from`. Raises ValueError for a snapshot of another model."""
    if snapshot is None:
        return Snapshot(model, open_from, "", open_from)
    if snapshot.model != model:
        raise ValueError(f"snapshot of model {snapshot.model!r} given to {model!r}")
    return snapshot


class Recogniser(Protocol):
    """The decoder's state of one track."""

    def accept(self, pcm: bytes, at: int) -> list[Final]:
        """Decode one chunk and return the utterances it completed (usually none), oldest first.

        pcm: signed 16 bit little-endian mono samples at the recogniser's rate; may be empty.
        at:  sample index (track clock) of the first sample; equal to the end of the chunk before.
        """
        ...

    def replay(self, pcm: bytes, at: int) -> None:
        """Feed a chunk that was decoded before, to rebuild a cold recogniser.

        The part of it before `open_from` is skipped. Raises DeterminismFault if it completes an utterance.
        """
        ...

    def flush(self) -> list[Final]:
        """End the open utterance here (the track ends, or audio is missing after this). Returns what it held.

        Afterwards the recogniser is canonical: the next `accept` may start at any later sample.
        """
        ...

    def snapshot(self, want_partial: bool) -> Snapshot:
        """The state to save. want_partial: bring the open utterance's text up to date first, if that is due."""
        ...

    @property
    def wordless_seconds(self) -> float:
        """Seconds of voice since this recogniser's last words, in utterances that have ended. 0 if it cannot tell."""
        ...

    @property
    def memory_bytes(self) -> int:
        """Estimated bytes of memory that this recogniser takes while it is warm."""
        ...


class Model(Protocol):
    """A loaded model: immutable, shared by all recognisers of a process."""

    @property
    def identity(self) -> str:
        """Names engine, library version, model content and every option that can change a transcript.

        Two workers with equal identities (and equal self-check, see selfcheck.py) decode alike, byte for byte.
        """
        ...

    @property
    def display_name(self) -> str:
        """For the log and the page's footer: "Moonshine tiny (English, offline)"."""
        ...

    @property
    def fork_safe(self) -> bool:
        """Whether a parent may load it once and fork children that share its pages."""
        ...

    @property
    def partials_cost(self) -> bool:
        """Whether a partial costs about as much as a final. Then decoders make partials only where somebody looks."""
        ...

    def warm_up(self, rate: int) -> Iterator[None]:
        """Do what a process does once before its first track at `rate` Hz. Yields at least once a second of it.

        Whoever leaves it out pays at the first chunk, and nobody hears of this process meanwhile.
        """
        ...

    def recogniser(self, rate: int, snapshot: Snapshot | None, open_from: int = 0) -> Recogniser:
        """A new recogniser for a track at `rate` Hz (8000..48000).

        With a snapshot of this model's identity: cold, wanting the journal through `replay`. Without: canonical,
        its open utterance starting at sample `open_from`.
        """
        ...
