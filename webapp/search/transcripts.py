"""Keeps the calls' words in this process for the search: those that people may see, in small letters.

It reads a call's transcript once, when somebody first searches in it. From then on the feed brings new words and
changes, such as masks, as it does for the pages. So a search costs as much as was said since the last one, not as was
said in all. It drops what nobody has searched for KEPT_SECONDS."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import redis

from state.calls.feed import FeedLost
from state.calls.reads import Reads
from state.events import FinalEvent
from state.server.connection import BLOCK_MS
from state.types import Utterance
from state.views import CallRow

log = logging.getLogger("earshot.web")

READ_AT_ONCE = 25
"""Calls whose transcripts come in one read: about 2 MB of half an hour's talk each."""

EVENTS_AT_ONCE = 2000
"""At most so many events of the feed in one read."""

KEPT_SECONDS = 600
MOST_BYTES = 128 << 20
"""Bytes of text to keep: 5,000 calls of half an hour are about 60 MB. Beyond it, the calls searched longest ago go; the
next search reads them again."""

_FINAL = b'{"kind":"final",'
"""First bytes of a final's event: events.encode puts the kind first. The others need no reading."""

_decode = msgspec.json.Decoder(FinalEvent).decode


@dataclass
class _Call:
    """A call's texts, UTF-8, by track; line n is that of the track's utterance n."""

    used_at: float
    whole: bool = False  # its transcript has been read; before, only what the feed has told since
    told: list[Utterance] = field(default_factory=list)
    tracks: dict[str, bytes] = field(default_factory=dict)

    def put(self, said: Utterance) -> int:
        """Put an utterance into its place. Returns by how many bytes the call has grown."""
        before = self.tracks.get(said.track, b"")
        lines = before.split(b"\n")
        lines += [b""] * (said.index + 1 - len(lines))
        lines[said.index] = said.text.replace("\n", " ").lower().encode(errors="replace")
        self.tracks[said.track] = b"\n".join(lines)
        return len(self.tracks[said.track]) - len(before)

    def fill(self, transcript: Iterable[Utterance]) -> int:
        """Take a transcript, and then the events that came while it was read. Returns the bytes it needs."""
        tracks: dict[str, dict[int, str]] = {}
        for said in transcript:
            tracks.setdefault(said.track, {})[said.index] = said.text.replace("\n", " ").lower()
        for track, texts in tracks.items():
            self.tracks[track] = "\n".join(texts.get(n, "") for n in range(max(texts) + 1)).encode(errors="replace")
        for said in self.told:
            self.put(said)
        self.whole, self.told = True, []
        return sum(map(len, self.tracks.values()))


class Transcripts:
    """The transcripts that one process keeps. Any thread may ask."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._lock = threading.Lock()
        self._reading = threading.Lock()  # taken before the other, if both are
        self._calls: OrderedDict[str, _Call] = OrderedDict()  # what was asked for last comes last
        self._bytes = 0
        self._follows = False

    def of(self, rows: list[CallRow]) -> list[list[bytes]]:
        """All that was said on each of these calls, in small letters, UTF-8. Raises redis.RedisError."""
        now = time.monotonic()
        with self._lock:
            # Before a transcript is read: events that come during it must count.
            cursor = None if self._follows else self._reads.tip()
            asked = [self._calls.setdefault(row.call_id, _Call(now)) for row in rows]
            for row, call in zip(rows, asked, strict=True):
                call.used_at = now
                self._calls.move_to_end(row.call_id)
            if cursor and rows:
                self._follows = True
                threading.Thread(target=self._run, args=(cursor,), name="transcripts", daemon=True).start()
        self._read(rows, asked)
        with self._lock:
            return [list(call.tracks.values()) for call in asked]

    def _read(self, rows: list[CallRow], asked: list[_Call]) -> None:
        """Read the transcripts of those calls that are not whole: one search at a time, however many wait for them."""
        if all(call.whole for call in asked):
            return
        with self._reading:
            missing = [n for n, call in enumerate(asked) if not call.whole]
            for start in range(0, len(missing), READ_AT_ONCE):
                batch = missing[start : start + READ_AT_ONCE]
                for n, transcript in zip(batch, self._reads.said([rows[n] for n in batch]), strict=True):
                    with self._lock:
                        grown = asked[n].fill(transcript)
                        if self._calls.get(rows[n].call_id) is asked[n]:
                            self._bytes += grown

    @property
    def kept_bytes(self) -> int:
        """Bytes of text that are kept."""
        return self._bytes

    # -- following the feed ---------------------------------------------------------------------------------

    def _run(self, cursor: str) -> None:
        """Follow until nobody searches any more, or Redis is away. Then the next search reads all again."""
        try:
            while self._keep():
                try:
                    entries = self._reads.feed(cursor, EVENTS_AT_ONCE, BLOCK_MS)
                except FeedLost:
                    cursor = self._reads.tip()
                    self._forget()
                    continue
                if entries:
                    cursor = entries[-1][0]
                    self._hear(told for _, told in entries if told.startswith(_FINAL))
        except redis.RedisError as error:
            log.warning("search: redis is away", extra={"error": repr(error)})
        except Exception:
            log.exception("search: unexpected error")
        with self._lock:
            self._follows = False
            self._drop_all()

    def _keep(self) -> bool:
        """Drop words that nobody has searched for long, and those beyond the limit. False when nothing is left."""
        since = time.monotonic() - KEPT_SECONDS
        with self._lock:
            while self._calls:
                call_id, oldest = next(iter(self._calls.items()))
                if oldest.used_at > since and self._bytes <= MOST_BYTES:
                    return True
                del self._calls[call_id]
                if oldest.whole:
                    self._bytes -= sum(map(len, oldest.tracks.values()))
            self._follows = False
            return False

    def _hear(self, finals: Iterable[bytes]) -> None:
        for told in finals:
            try:
                event = _decode(told)
            except msgspec.DecodeError as error:
                log.error("search: an event cannot be read", extra={"error": str(error)})
                continue
            with self._lock:
                call = self._calls.get(event.call_id)
                if call is None:
                    continue
                if call.whole:
                    self._bytes += call.put(event.utterance)
                else:
                    call.told.append(event.utterance)

    def _forget(self) -> None:
        with self._lock:
            self._drop_all()

    def _drop_all(self) -> None:
        self._calls.clear()
        self._bytes = 0
