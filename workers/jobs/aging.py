"""Words and sound of archived calls go when they are old: WORDS_DAYS and SOUND_DAYS, by queue. A legal hold keeps
them."""

from __future__ import annotations

import time

from state.archive.erase import BATCH, erase_words
from state.archive.opening import Archive
from state.queues import FOR_EVER, OTHERS
from state.recording import catalogue
from state.recording.sounds import Sounds
from state.settings import sound_days

DAY_MS = 86_400_000

PARTS_DAYS = 7
"""Days after which parts that never became a recording are given up."""

ERASED_DAYS = 2
"""Days for which the sound of an erased call is erased again: a process may have been about to write some."""

WORK_SECONDS = 120
"""A job ends after so long at the latest, before RQ's own limit (180 s); the next one goes on."""


def forget_words(archive: Archive, by_queue: dict[str, int], now_ms: int) -> int:
    """The job: erase the words of all calls that are older than `by_queue` (see Queues.words) says. Returns of how
    many."""
    named = {queue for queue in by_queue if queue != OTHERS}
    until = time.monotonic() + WORK_SECONDS
    count = 0
    for queue, kept in by_queue.items():
        while kept != FOR_EVER and time.monotonic() < until:
            which = None if queue == OTHERS else queue
            erased = erase_words(archive, which, named, now_ms - kept * DAY_MS, now_ms)
            count += erased
            if erased < BATCH:
                break
    return count


def forget_sound(archive: Archive, sounds: Sounds, days: str, now_ms: int) -> int:
    """The job: erase recordings older than `days` (SOUND_DAYS) says, and what was left behind. Returns how many."""
    sounds.drop_old_parts(now_ms - PARTS_DAYS * DAY_MS)
    for call_id, erased_at_ms in catalogue.lately_erased(archive, now_ms - ERASED_DAYS * DAY_MS):
        sounds.erase(call_id, erased_at_ms)
    by_queue = {"*": 0} | sound_days(days)
    named = set(by_queue) - {"*"}
    until = time.monotonic() + WORK_SECONDS
    count = 0
    for queue, kept in by_queue.items():
        while time.monotonic() < until:
            old = catalogue.too_old(archive, None if queue == "*" else queue, named, now_ms - kept * DAY_MS)
            for call in old:
                sounds.forget(call)
                catalogue.forget(archive, call)
            count += len(old)
            if len(old) < catalogue.BATCH:
                break
    return count
