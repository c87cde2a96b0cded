"""Follows the calls' feed. In one step it writes down the messages for others, and how far it has come.

One process at a time does it. If another one does it at that moment, or again, nothing is written down twice. If the
feed has dropped events that were not followed yet, it looks at all calls as they are.
"""

from __future__ import annotations

import logging
import time

from state import keys
from state.archive.opening import Archive
from state.calls.feed import FeedLost, at_ms, joined, parted
from state.calls.reads import Reads
from state.moments import DAY_MS
from state.rules import RulesStore
from state.server.clock import now_ms
from state.server.shards import Shards
from state.views import CallRow, CallView
from state.webhooks import deliveries
from state.webhooks.happenings import Message
from workers.insight.redaction.masking import shown
from workers.insight.rules.rule import RuleError
from workers.insight.rules.rulefile import parse
from workers.webhooks.notice import Notices, Rules, of_standing

AT_ONCE = 500
"""Most events of a shard in one step."""

TURN_SECONDS = 10
"""Seconds until another process takes over from one that died."""

PERSIST_SECONDS = 5.0
"""Seconds between two cursors written down while there is no message."""

LOOK_BACK_MS = DAY_MS
"""Milliseconds since the end of the oldest calls in such a look. Shorter than deliveries.LOG_SECONDS, so earlier
messages are still known."""

CALLS_AT_ONCE = 20
"""Most calls to write down in one step of such a look."""

log = logging.getLogger("earshot.webhooks")


class Follower:
    """The feed's reader. Raises redis.RedisError and ArchiveAway; then it does the open step again."""

    def __init__(self, shards: Shards, archive: Archive, name: str, redact: bool) -> None:
        self._shards, self._archive, self._name, self._redact = shards, archive, name, redact
        self._reads = Reads(shards)
        self._notices = Notices(self._read)
        self._rules_store = RulesStore(shards.plain)
        self._rules: Rules = {}
        self._edition: int | None = None
        self._cursor: str | None = None
        self._written, self._written_at = "", 0.0

    def turn(self) -> bool:
        """Whether it is this process's turn."""
        key = keys.turn("webhooks")
        if self._shards.plain.set(key, self._name, nx=True, ex=TURN_SECONDS):
            self._cursor = None  # another one may have gone on
            return True
        mine = self._shards.plain.get(key) == self._name.encode()
        if mine:
            self._shards.plain.expire(key, TURN_SECONDS)
        return mine

    def step(self) -> bool:
        """Write down what has happened since the last step. Whether there may be more at once."""
        if self._cursor is None:
            self._cursor = self._written = deliveries.position(self._archive) or ""
        if not self._cursor:
            self._cursor = None  # nobody is told anything
            return False
        self._follow_rules()
        try:
            cursors = parted(self._cursor, len(self._shards))
            told = self._reads.feeds.after(cursors, AT_ONCE)
        except FeedLost:
            self._look_at_all()
            return True
        made: list[Message] = []
        for one in told:
            made += self._notices.of_event(one.event, at_ms(one.cursor), self._rules)
            cursors[one.shard] = one.cursor
        self._write(made, joined(cursors))
        return len(told) >= AT_ONCE

    def _write(self, made: list[Message], cursor: str) -> None:
        moved = cursor != self._written and time.monotonic() >= self._written_at + PERSIST_SECONDS
        if made or moved:
            deliveries.record(self._archive, made, cursor, now_ms(self._shards.plain))
            self._written, self._written_at = cursor, time.monotonic()
        self._cursor = cursor

    def _look_at_all(self) -> None:
        """Go on from calls as they stand. The cursor is from before the look."""
        log.warning("the feed has dropped what was not told yet: all calls are looked at")
        tips, old = self._reads.tip(), self._cursor or ""
        since = now_ms(self._shards.plain) - LOOK_BACK_MS
        rows = [row for row in self._reads.held(live=True, ended=True, waiting=False) if _is_new(row, since)]
        for first in range(0, len(rows), CALLS_AT_ONCE):
            calls = [self._read(row.call_id) for row in rows[first : first + CALLS_AT_ONCE]]
            made = [one for call in calls if call is not None for one in of_standing(call, self._rules)]
            deliveries.record(self._archive, made, old, now_ms(self._shards.plain), past=True)
        deliveries.record(self._archive, [], tips, now_ms(self._shards.plain))
        self._cursor = self._written = tips

    def _follow_rules(self) -> None:
        edition = self._rules_store.version()
        if edition == self._edition:
            return
        stored = self._rules_store.read()
        try:
            rules = parse(stored.text).file.rules if stored else []
        except RuleError:  # scorers go on with those before, too
            rules = []
        self._rules = {rule.id: rule.webhook for rule in rules if rule.webhook}
        self._edition = edition

    def _read(self, call_id: str) -> CallView | None:
        """A call as it may be shown."""
        call = self._reads.call(call_id)
        return shown(call) if call is not None and self._redact else call


def _is_new(row: CallRow, since_ms: int) -> bool:
    return row.state != "ended" or (row.ended_at_ms or 0) >= since_ms
