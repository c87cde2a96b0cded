"""Words and sound of archived calls go when they are old: WORDS_DAYS and SOUND_DAYS, by queue. A legal hold keeps
them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from state.archive.erase import BATCH, erase_words
from state.archive.opening import Archive
from state.moments import DAY_MS
from state.queues import FOR_EVER, OTHERS
from state.recording import catalogue
from state.recording.sounds import Sounds
from state.settings.values import sound_days

PARTS_DAYS = 7
"""Days after which parts that never became a recording are given up."""

ERASED_DAYS = 2
"""Days for which the sound of an erased call is erased again: a process may have been about to write some."""

WORK_SECONDS = 120
"""At most so many seconds of a job, below RQ's own limit (180 s); the next job goes on."""


def forget_words(archive: Archive, by_queue: dict[str, int], now_ms: int) -> int:
    """The job: erase the words of all calls that are older than `by_queue` (see Queues.words) says. Returns of how
    many."""

    def erase(queue: str | None, others: set[str], before_ms: int) -> int:
        return erase_words(archive, queue, others, before_ms, now_ms)

    finite = {queue: kept for queue, kept in by_queue.items() if kept != FOR_EVER}
    return _batch_by_batch(finite, by_queue.keys() - {OTHERS}, now_ms, BATCH, erase)


def forget_sound(archive: Archive, sounds: Sounds, days: str, now_ms: int) -> int:
    """The job: erase recordings older than `days` (SOUND_DAYS) says, and what was left behind. Returns how many."""
    sounds.drop_old_parts(now_ms - PARTS_DAYS * DAY_MS)
    for call_id, erased_at_ms in catalogue.lately_erased(archive, now_ms - ERASED_DAYS * DAY_MS):
        sounds.erase(call_id, erased_at_ms)

    def erase(queue: str | None, others: set[str], before_ms: int) -> int:
        old = catalogue.too_old(archive, queue, others, before_ms)
        for call in old:
            sounds.forget(call)
            catalogue.forget(archive, call)
        return len(old)

    by_queue = {OTHERS: 0} | sound_days(days)
    return _batch_by_batch(by_queue, by_queue.keys() - {OTHERS}, now_ms, catalogue.BATCH, erase)


def _batch_by_batch(
    days: Mapping[str, int],
    named: set[str],
    now_ms: int,
    batch: int,
    erase: Callable[[str | None, set[str], int], int],
) -> int:
    """Erase what is too old of each queue in `days`, a batch at a time, until nothing is or WORK_SECONDS are over.

    named: queues that OTHERS does not stand for. erase: of a queue (None: OTHERS), those named, and the moment before
    which it is too old, in ms; returns how many. Returns how many in all.
    """
    until = time.monotonic() + WORK_SECONDS
    count = 0
    for queue, kept in days.items():
        while time.monotonic() < until:
            erased = erase(None if queue == OTHERS else queue, named, now_ms - kept * DAY_MS)
            count += erased
            if erased < batch:
                break
    return count
