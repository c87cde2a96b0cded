"""The state of a call that is kept between two scores, so that each score costs the same in a call of any length.

There are two courses (workers/insight/attention.py). `base` covers the call's beginning, which nobody reads any more.
`tip` covers everything counted so far. The next utterance, usually the call's last, goes on from the tip. A late one,
or words that look different since, go on from the base. Either way the standing is that of all the call's utterances.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from state.types import ScoredUtterance, Standing
from workers.insight.attention import AttentionModel, Course
from workers.insight.redaction.masking import LOOK_BACK
from workers.insight.words.spoken import Spoken

READ_ON, READ_MOST = 90, 120
"""Utterances to read after some are left out, and the number from which on some are. That is half as many again as
redaction looks back on, for those that come late because another track is decoded later."""

_encode = msgspec.msgpack.Encoder().encode


class Courses(msgspec.Struct, frozen=True, array_like=True):
    """tip_count, tip_digest: how many utterances after the base the tip has, and which."""

    base: Course
    tip: Course | None = None
    tip_count: int = 0
    tip_digest: bytes = b""

    def follow(self, model: AttentionModel, said: Sequence[Spoken]) -> tuple[Standing, Courses]:
        """The standing with `said` (all utterances after the base, in canonical order), and the courses with them."""
        count = self.tip_count
        if self.tip is not None and count <= len(said) and _digest(said[:count]) == self.tip_digest:
            standing, tip = model.follow(self.tip, said[count:])
        else:
            standing, tip = model.follow(self.base, said)
        if tip is None:
            return standing, Courses(self.base)
        return standing, Courses(self.base, tip, len(said), _digest(said))

    def leave_out(self, model: AttentionModel, said: Sequence[Spoken], count: int) -> Courses | None:
        """The courses with a base that has the first `count` of `said`. None if that is impossible."""
        if count <= 0:
            return None
        _, base = model.follow(self.base, said[:count])
        if base is None:
            return None
        if self.tip is None or self.tip_count < count:
            return Courses(base)
        rest = self.tip_count - count
        return Courses(base, self.tip, rest, _digest(said[count : self.tip_count]))


_courses = msgspec.msgpack.Decoder(Courses)


def unpack(packed: bytes | None) -> Courses:
    """The courses from what `pack` made. At a call's beginning: empty ones."""
    return Courses(Course()) if packed is None else _courses.decode(packed)


def pack(courses: Courses) -> bytes:
    """The courses as bytes for the store."""
    return _encode(courses)


def may_leave_out(transcript: Sequence[ScoredUtterance], scored_at: int, cut: dict[str, int]) -> int:
    """How many of the first utterances need no second read, given the place of the one just scored. 0 for none.

    They are all scored, their words can no longer change, and they are the first of their tracks (from `cut` on).
    """
    if len(transcript) <= READ_MOST:
        return 0
    most = min(len(transcript) - READ_ON, scored_at - LOOK_BACK)
    following = dict(cut)
    for number, said in enumerate(transcript[: max(0, most)]):
        done = said.sentiment is not None or said.mark is not None
        if not done or said.index != following.get(said.track, 0):
            return number
        following[said.track] = said.index + 1
    return max(0, most)


def next_indices(left_out: Sequence[ScoredUtterance]) -> dict[str, int]:
    """By track, the index after the last one that is left out."""
    return {said.track: said.index + 1 for said in left_out}


def _digest(said: Sequence[Spoken]) -> bytes:
    return hashlib.blake2b(_encode(list(said)), digest_size=16).digest()
