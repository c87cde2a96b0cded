"""A decode loop: one process, one thread, one lease at a time.

So a crash accuses exactly one chunk. The heartbeat comes from this thread, so it means progress.

With several shards a loop has one home, or more if there are fewer loops than shards. It settles in the shard with the
fewest loops, adopts a shard that has none, and gives up one that has others, too. It waits for work at home. While
there is none, it helps elsewhere as a guest."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from itertools import count

import redis

from state.calls.fleet import residents
from state.calls.ingest import Ingest
from state.server.connection import BLOCK_MS
from state.server.shards import Shards, shards_of
from state.settings import Settings
from workers.decoder.names import Names
from workers.decoder.post import Bench, Post
from workers.decoder.warm import WarmCache
from workers.engines.base import Model

log = logging.getLogger("earshot.decoder")

HELP_MS = 200
"""Milliseconds an idle loop waits for work at home before it looks at another shard."""

ROUND_MS = 40
"""Milliseconds a loop with several homes waits at one of them before it looks at all of them again."""

LOOK_SECONDS = (1.0, 10.0)
"""Seconds between two looks at the others' homes: while a shard is nobody's home, and otherwise. Jittered."""


class DecodeLoop:
    """Takes tokens until `stopping`, whatever happens to the servers."""

    def __init__(
        self,
        store: Shards | redis.Redis,
        model: Model,
        worker: str,
        settings: Settings,
        stopping: Callable[[], bool],
    ) -> None:
        self._shards = shards_of(store)
        self._worker = worker
        self._stopping = stopping
        warm = WarmCache(settings.warm_megabytes * 1_000_000)
        names, ingest = Names(self._shards, model), Ingest(self._shards, settings)
        self._bench = Bench(model, warm, settings, ingest, stopping, self._beat, names)
        self._posts: dict[int, Post] = {}
        self._rounds = count()
        self._next_look = 0.0

    def run(self) -> None:
        """Work until stopping. Then leave nothing behind that anybody would have to wait for."""
        while not self._stopping():
            self._turn()
        for post in self._posts.values():
            post.leave()

    def _turn(self) -> None:
        self._find_homes()
        homes = [post for post in self._posts.values() if post.resident]
        for post in homes:
            post.look_after()
        turn = next(self._rounds)
        order = homes[turn % len(homes) :] + homes[: turn % len(homes)] if homes else []
        if len(order) > 1 and any(post.work(0) for post in order):
            return
        if any(post.work(self._wait_ms(len(homes))) for post in order[:1]) or self._stopping():
            return
        for post in order[:1]:
            post.relieve()
        self._help(turn)
        self._rest(homes)

    def _wait_ms(self, homes: int) -> int:
        if len(self._shards) == 1:
            return BLOCK_MS
        return HELP_MS if homes == 1 else ROUND_MS

    def _help(self, turn: int) -> None:
        """Look at one shard that is not home. Stay as long as it has work."""
        others = [shard for shard in self._shards if not self._at_home(shard.number)]
        if not others:
            return
        post = self._post(others[turn % len(others)].number, resident=False)
        post.look_after()
        while post.work(0) and not self._stopping():
            self._beat()
            if any(home.work(0) for home in self._posts.values() if home.resident):
                return  # there is work at home

    def _rest(self, homes: list[Post]) -> None:
        """No server of our homes answers: wait for one of them instead of asking again at once."""
        soonest = min((post.again_at for post in homes), default=time.monotonic() + LOOK_SECONDS[0])
        if (pause := soonest - time.monotonic()) > 0:
            time.sleep(min(pause, LOOK_SECONDS[0]))

    # -- homes ----------------------------------------------------------------------------------------------

    def _find_homes(self) -> None:
        now = time.monotonic()
        if now < self._next_look:
            return
        if len(self._shards) == 1:
            self._post(0, resident=True)
            self._next_look = float("inf")
            return
        try:
            counts = self._shards.answers(residents)
        except redis.RedisError as error:
            log.warning("no server answers; trying again", extra={"error": str(error)})
            self._next_look = now + LOOK_SECONDS[0]
            return
        homes = [number for number, post in self._posts.items() if post.resident]
        empty = [number for number, there in counts.items() if not there and number not in homes]
        crowded = [number for number in homes if counts.get(number, 0) > 1]
        fewest = min(counts.values())
        if not homes or empty:
            least = [number for number, there in counts.items() if there == fewest and number not in homes]
            self._post(random.choice(least), resident=True)
        elif crowded and (len(homes) > 1 or counts[homes[0]] > fewest + 1):
            self._leave_home(random.choice(crowded), one_of=counts[homes[0]])
        self._next_look = now + LOOK_SECONDS[0 if len(empty) > 1 or not homes else 1] * random.uniform(0.5, 1.5)

    def _leave_home(self, number: int, one_of: int) -> None:
        """Leave a home with a chance of one in `one_of`, so that not all leave at once."""
        if random.random() < 1 / one_of:
            self._posts.pop(number).leave()
            self._next_look = 0.0

    def _at_home(self, number: int) -> bool:
        return number in self._posts and self._posts[number].resident

    def _post(self, number: int, resident: bool) -> Post:
        post = self._posts.get(number)
        if post is None:
            post = self._posts[number] = Post(self._shards[number], self._worker, self._bench, resident)
        elif resident and not post.resident:
            post.settle()
        return post

    def _beat(self) -> None:
        """Send heartbeats in mid-decode, wherever this decoder may hold something."""
        for post in self._posts.values():
            post.beat_quietly()
