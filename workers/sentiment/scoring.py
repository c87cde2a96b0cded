"""One sentiment worker's turns. It sets an utterance aside that it cannot score, and the others do not wait for it."""

from __future__ import annotations

import logging
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import ParamSpec, TypeVar

import redis

from state.calls.assessments import Assessment, Stretch, Unscored
from state.calls.finals import Finals
from state.calls.scores import Scores
from state.server.connection import is_about_data
from state.tracing import step
from workers.insight.redaction.masking import everything
from workers.sentiment.assessor import Assessor

SET_ASIDE_AFTER_TRIES = 5
"""Tries until an utterance is given up: as many as for a chunk (decoder.track.DEAD_AFTER_TRIES)."""

SCORING_CPU_SECONDS = 5.0
"""At most so many seconds of processor time for one utterance, a thousand times the usual. Not wall time: a busy
machine is not its fault."""

KNOWN_TRIES = 10_000
"""Entries whose tries this worker remembers: far more than it ever gets at once."""

log = logging.getLogger("earshot.sentiment")

P = ParamSpec("P")
T = TypeVar("T")


class TookTooLong(BaseException):
    """Scoring took more than SCORING_CPU_SECONDS. Not an Exception, so that no code on the way catches it."""


class Scoring:
    """Scores its input. Only the main thread may use it: the time limit is a signal."""

    def __init__(
        self,
        finals: Finals,
        scores: Scores,
        assessor: Assessor,
        scored: Callable[[Unscored], None] = lambda _unscored: None,
    ) -> None:
        """scored: called after each score, for the figures."""
        self._finals = finals
        self._scores = scores
        self._scored = scored
        self._assessor = assessor
        self._assess = limited(assessor.assess)
        self._tries: dict[str, int] = {}

    def edition(self, queue: str, model: int | None) -> str:
        """As state.calls.assessments.Scorer says."""
        return self._assessor.edition(queue, model)

    @property
    def look_back(self) -> int:
        """As state.calls.assessments.Scorer says."""
        return self._assessor.look_back

    def assess(self, stretch: Stretch) -> Assessment:
        """As state.calls.assessments.Scorer says. Raises TookTooLong."""
        return self._assess(stretch)

    def score(self, waiting: list[Unscored]) -> None:
        """Score these utterances, the least suspicious first. Those that fail stay pending, for a later turn.

        Raises redis.RedisError as the client does.
        """
        # This worker knows its own tries: a lost connection must not count as one.
        known = [(self._tries.get(unscored.entry, unscored.tries), unscored) for unscored in waiting]
        for tries, unscored in sorted(known, key=lambda pair: (pair[0], pair[1].redelivered)):
            self._score(unscored, tries)

    def _score(self, unscored: Unscored, tries: int) -> None:
        if tries >= SET_ASIDE_AFTER_TRIES:
            self._set_aside(unscored, f"scoring failed or killed its process {tries} times")
            return
        if unscored.redelivered:  # perhaps a worker died of it: if this one dies, too, the count says so
            self._tries[unscored.entry] = tries
            self._finals.begin(unscored, tries + 1)
        try:
            with step("score", [unscored.way], call_id=unscored.call_id, utterance=unscored.utterance_id):
                self._scores.store(unscored, self)
        except (Exception, TookTooLong) as error:
            if isinstance(error, redis.RedisError) and not is_about_data(error):
                raise
            where = traceback.extract_tb(error.__traceback__)[-1]
            reason = f"{type(error).__name__} in {where.name}"  # without its message, which may quote the call
            log.warning(
                "an utterance could not be scored",
                extra={
                    "call_id": unscored.call_id,
                    "utterance": unscored.utterance_id,
                    "error": reason,
                    "tries": tries + 1,
                },
            )
            if tries + 1 >= SET_ASIDE_AFTER_TRIES:
                self._set_aside(unscored, f"{reason}, {tries + 1} times")
                return
            self._tries[unscored.entry] = tries + 1
            self._finals.begin(unscored, tries + 1)
            self._scores.forget_kept(unscored.call_id)
        else:
            self._tries.pop(unscored.entry, None)
            self._scored(unscored)
        while len(self._tries) > KNOWN_TRIES:
            del self._tries[next(iter(self._tries))]

    def _set_aside(self, unscored: Unscored, reason: str) -> None:
        log.error(
            "gave up scoring an utterance",
            extra={"call_id": unscored.call_id, "utterance": unscored.utterance_id, "reason": reason},
        )
        try:
            self._scores.set_aside(unscored, reason, everything if self._assessor.mask else None)
        except redis.RedisError as error:
            if not is_about_data(error):
                raise
            log.exception("the call's keys are damaged; it will not end", extra={"call_id": unscored.call_id})
            self._finals.drop(unscored)
        self._tries.pop(unscored.entry, None)


def limited(work: Callable[P, T]) -> Callable[P, T]:
    """`work`, which raises TookTooLong after SCORING_CPU_SECONDS of processor time."""

    def within(*args: P.args, **kwargs: P.kwargs) -> T:
        with _limit(SCORING_CPU_SECONDS):
            return work(*args, **kwargs)

    return within


@contextmanager
def _limit(cpu_seconds: float) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
