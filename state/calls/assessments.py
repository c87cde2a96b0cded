"""What passes between a scorer and the store: an utterance, the part of its call that is read, and its score."""

from __future__ import annotations

from typing import Protocol

import msgspec

from state.types import Masked, ScoredUtterance, Sentiment, Standing


class Unscored(msgspec.Struct, frozen=True):
    """An utterance waiting for its score: its entry in `finals`, its call and its id.

    tries: number of earlier attempts that failed. redelivered: another worker had it before. way: what a trace goes on
    from.
    """

    entry: str
    call_id: str
    utterance_id: str
    tries: int = 0
    redelivered: bool = False
    way: str = ""

    @property
    def at_ms(self) -> int:
        """When it was committed: milliseconds since 1970 at the store."""
        return int(self.entry.partition("-")[0])


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What a scorer keeps of a call's beginning, so that nobody has to read it again.

    edition: names what computed it. cut: by track, index of the first utterance that is not in it. course: its own.
    """

    edition: str
    cut: dict[str, int]
    course: bytes


class Stretch(msgspec.Struct, frozen=True):
    """What is read of a call to score one utterance.

    transcript: in canonical order; the call's beginning is left out if `kept` stands for it. found: the utterance in
    it. tracks: all of the call. last: nothing more will be said or scored. queue: of the metadata, "" for none. model:
    version of the attention model that the call began with, None if this is its first score. holds: when somebody
    was on hold.
    """

    call_id: str
    transcript: list[ScoredUtterance]
    found: ScoredUtterance
    tracks: list[str]
    last: bool
    kept: Kept | None
    queue: str = ""
    model: int | None = None
    holds: list[tuple[float, float]] = []


class Assessment(msgspec.Struct, frozen=True):
    """What follows from a score. kept: replaces what was kept; None leaves it."""

    sentiment: Sentiment
    standing: Standing
    masked: Masked | None = None
    kept: Kept | None = None


class Scorer(Protocol):
    """Gives scores. `assess` is pure: if another score comes between reading and writing, it runs again."""

    def edition(self, queue: str, model: int | None) -> str:
        """A name that changes with everything its answers depend on, for a call of this queue and attention model. A
        scorer ignores what another edition kept."""

    @property
    def look_back(self) -> int:
        """Utterances that it needs before the one to score, if there are so many."""

    def assess(self, stretch: Stretch) -> Assessment:
        """Score `stretch.found`."""
