"""`python -m workers.recorder`: one of any number. It has nothing to do where SOUND_DAYS is not set."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor

import redis

from state.recording.sounds import SoundsAway, open_sounds
from state.recording.spool import Spool
from state.server.connection import ServerUnfit
from state.server.opening import check_store, open_shards
from state.settings import Settings
from workers.process import Stop, start

log = logging.getLogger("earshot.recorder")

LOOK_SECONDS = 1.0
"""Seconds between two looks for calls whose audio is due."""

AT_ONCE = 8
"""Most calls to spool side by side: a storage far away takes its time for each."""


def run(settings: Settings) -> int:
    """Work until SIGTERM."""
    stop = Stop()
    sounds = open_sounds(settings) if settings.sound_days else None
    if sounds is None:
        log.info("nothing is recorded: SOUND_DAYS is not set")
        while not stop():
            time.sleep(LOOK_SECONDS)
        return 0
    shards = open_shards(settings, "worker")
    checked = False
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while not stop():
            try:
                if not checked:
                    check_store(shards)
                    checked = True
                turn(Spool(shards, sounds), pool)
            except ServerUnfit:
                raise
            except (redis.RedisError, SoundsAway) as error:
                log.warning("recordings wait", extra={"error": str(error)})
            time.sleep(LOOK_SECONDS)
    return 0


def turn(spool: Spool, pool: ThreadPoolExecutor) -> int:
    """Take the due audio to the store. Returns the number of parts. Raises redis.RedisError, SoundsAway."""
    return sum(pool.map(spool.take, spool.due()))


if __name__ == "__main__":
    start("recorder", run)
