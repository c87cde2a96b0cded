"""The words of archived calls go when they are old: WORDS_DAYS, by queue. A legal hold keeps them."""

from __future__ import annotations

import time

from state.archive.erase import BATCH, erase_words
from state.archive.opening import Archive
from state.settings import words_days

DAY_MS = 86_400_000

WORK_SECONDS = 120
"""A job ends after so long at the latest, before RQ's own limit (180 s); the next one goes on."""


def forget_words(archive: Archive, days: str, now_ms: int) -> int:
    """The job: erase the words of all calls that are older than `days` (WORDS_DAYS) says. Returns of how many."""
    by_queue = words_days(days)
    named = {queue for queue in by_queue if queue != "*"}
    until = time.monotonic() + WORK_SECONDS
    count = 0
    for queue, kept in by_queue.items():
        while time.monotonic() < until:
            which = None if queue == "*" else queue
            erased = erase_words(archive, which, named, now_ms - kept * DAY_MS, now_ms)
            count += erased
            if erased < BATCH:
                break
    return count
