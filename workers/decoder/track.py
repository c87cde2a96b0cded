"""One lease's work: it decodes a track's new chunks, in order, into one commit. No Redis here.

A warm recogniser (warm.py) goes on where it stopped. A cold one is rebuilt first (restore.py).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from state.calls.leases import Commit, DeadChunk, JournalChunk, Lease
from state.events import FinalEvent, PartialEvent, encode
from state.types import Utterance, Voice
from workers.decoder.pieces import pieces
from workers.decoder.restore import ABANDON_AFTER_TRIES, Interrupted, LeaseLost, restore
from workers.decoder.warm import WarmTrack
from workers.engines.base import Final, Model
from workers.insight.redaction.masking import cautious, hide
from workers.voice.measure import measure

LEASE_AUDIO_SECONDS = 8.0
"""At most so many seconds of new audio under one lease. So a stalled decoder looks different from a busy one, and one
track's backlog does not hold up the others."""


DEAD_AFTER_TRIES = 5
"""Tries until a chunk is given up. Losses that prove nothing do not count (rescue.FORGIVEN_LOSSES)."""


NO_PARTIALS = float("inf")
"""In the place of the seconds between two partials: no partial."""

PARTIAL_WITHIN_SECONDS = 3.0
"""Most seconds behind at which a track still gets new partials: catching up comes first."""

WORDLESS_SECONDS = 10.0
"""Seconds of voice without words until people are told: the call looks quiet, and is not."""

LAG_STEP_SECONDS = 1.0
"""Least change of a track's lag, in seconds, that the page is told, also while nobody speaks."""

_pack = msgspec.msgpack.Encoder().encode


def decode(
    model: Model,
    lease: Lease,
    warm: WarmTrack | None,
    stopping: Callable[[], bool] = lambda: False,
    beat: Callable[[], None] = lambda: None,
    redact: bool = True,
    voice: bool = True,
    partial_seconds: float = 0.0,
) -> tuple[Commit, WarmTrack]:
    """Decode the lease's chunks. `warm`: the track's recogniser in this decoder, for lease.warm.

    It calls beat after every piece of audio. When stopping returns true, it commits the chunks decoded so far.
    redact: hide what may be secret in all that people see at once; the finals themselves stay as recognised.
    voice: measure the voice in this track's utterances.
    partial_seconds: least seconds of audio between two partials; NO_PARTIALS if nobody needs them.
    Raises LeaseLost, Interrupted, and DeterminismFault from a replay.
    """
    if lease.warm and warm is not None:
        new = lease.journal
    else:
        warm, new = restore(model, lease, stopping, beat, voice)
    return _Lease(lease, warm, beat, redact, voice, partial_seconds).run(new, stopping), warm


class _Lease:
    """The running totals of one lease."""

    def __init__(
        self,
        lease: Lease,
        warm: WarmTrack,
        beat: Callable[[], None],
        redact: bool,
        voice: bool,
        partial_seconds: float,
    ) -> None:
        self.lease = lease
        self.redact = redact
        self.voice = voice
        self.partial_seconds = partial_seconds
        self.beat = beat
        self.warm = warm
        self.track = lease.token.track
        self.done_seq, self.done_samples = lease.done_seq, lease.done_samples
        self.chunks = self.audio_ms = self.audio_bytes = 0
        self.utterances: list[Utterance] = []
        self.dead: list[DeadChunk] = []

    def run(self, new: list[JournalChunk], stopping: Callable[[], bool]) -> Commit:
        lease = self.lease
        give_up = lease.tries >= DEAD_AFTER_TRIES
        budget = 1 if lease.done_seq < lease.careful_seq else len(new)
        audio_samples = 0
        if give_up and lease.tries >= ABANDON_AFTER_TRIES:
            self._mark("dead", self._open_from(), lease.done_samples)
            give_up = self._abandon_missing(new)
        if self.done_seq < lease.last_seq and not (new and new[-1].seq > self.done_seq):
            raise LeaseLost
        for chunk in new:
            first = chunk.seq > lease.done_seq
            if first and (budget == 0 or audio_samples >= LEASE_AUDIO_SECONDS * lease.rate):
                break
            if stopping():
                if self.done_seq == lease.done_seq:
                    raise Interrupted  # also if part of the open utterance was decoded again for another model
                break
            if give_up and first:
                self._bury(chunk)
                give_up = False
            else:
                self._decode(chunk)
            if first:
                budget -= 1
                audio_samples += chunk.samples
                self.chunks += 1
                self.audio_ms += chunk.samples * 1000 // lease.rate
                self.audio_bytes += len(chunk.audio)
        finish = lease.closed and self.done_seq == lease.last_seq
        if finish:
            self._flush()
        return self._commit(finish, stopping())

    def _abandon_missing(self, new: list[JournalChunk]) -> bool:
        """Give up the next chunks that the journal lacks. Returns whether it lacks none."""
        first = next((chunk for chunk in new if chunk.seq > self.done_seq), None)
        to, at = (first.gap_from or first.seq, first.at) if first else (self.lease.last_seq + 1, self.lease.samples)
        missing = to - 1 - self.done_seq
        if missing <= 0:
            return True
        self._flush()
        self._mark("dead", self.done_samples, at)
        self.chunks += missing
        self.audio_ms += (at - self.done_samples) * 1000 // self.lease.rate
        self.done_seq, self.done_samples = to - 1, at
        return False

    def _decode(self, chunk: JournalChunk) -> None:
        again = chunk.seq <= self.lease.done_seq  # another model decoded it before
        if not again:
            if (chunk.gap_from or chunk.seq) != self.done_seq + 1:
                raise LeaseLost
            if chunk.gap_from is not None:
                self._flush()
                self._mark("gap", self.done_samples, chunk.at)
        self.warm.open_chunks.append((chunk.seq, chunk.at + chunk.samples))
        for pcm, at in pieces(chunk, self.lease.rate, self._open_from() if again else chunk.at):
            if self.voice:
                self.warm.heard.add(pcm, at)
            self._add(self.warm.recogniser.accept(pcm, at))
            self.beat()
        if not again:
            self._passed(chunk)

    def _bury(self, chunk: JournalChunk) -> None:
        """Give a chunk up: close the utterance before it, set it aside, and let the clock go on after it."""
        if (chunk.gap_from or chunk.seq) != self.done_seq + 1:
            raise LeaseLost
        self._flush()
        self._mark("dead", self.done_samples, chunk.at + chunk.samples)
        reason = f"decoding failed or killed its process {self.lease.tries - 1} times"
        self.dead.append(DeadChunk(chunk.seq, reason, chunk.encoding, chunk.audio))
        self._passed(chunk)

    def _passed(self, chunk: JournalChunk) -> None:
        self.done_seq, self.done_samples = chunk.seq, chunk.at + chunk.samples

    def _flush(self) -> None:
        self._add(self.warm.recogniser.flush())

    def _add(self, finals: list[Final]) -> None:
        for final in finals:
            self._utter(final.start, final.end, final.text, final)

    def _mark(self, mark: str, from_sample: int, to_sample: int) -> None:
        rate = self.lease.rate
        self._utter(round(from_sample / rate, 3), round(to_sample / rate, 3), "", None, mark)

    def _utter(self, start: float, end: float, text: str, final: Final | None, mark: str | None = None) -> None:
        index = self.lease.final_count + len(self.utterances)
        words = final.words if final else []
        voice = self._voice(start, end, len(words)) if final and self.voice else None
        self.utterances.append(
            Utterance(f"{self.track}:{index}", self.track, index, start, end, text, words, mark, voice)
        )

    def _voice(self, start: float, end: float, words: int) -> Voice | None:
        rate = self.lease.rate
        return measure(self.warm.heard.between(round(start * rate), round(end * rate)), rate, words)

    def _open_from(self) -> int:
        return self.warm.recogniser.snapshot(want_partial=False).open_from

    def _commit(self, finish: bool, to_everybody: bool) -> Commit:
        lease, warm = self.lease, self.warm
        behind_seconds = (lease.samples - self.done_samples) / lease.rate
        want_partial = (
            not finish
            and behind_seconds < PARTIAL_WITHIN_SECONDS
            and self.done_samples - warm.partial_at >= self.partial_seconds * lease.rate
        )
        snapshot = warm.recogniser.snapshot(want_partial)
        if snapshot.partial:
            warm.partial_at = snapshot.partial_at
        partial = "" if finish else snapshot.partial
        changed = partial != warm.partial
        warm.partial = partial
        shown = self.utterances
        if self.redact:
            partial = cautious(partial)
            shown = [hide(utterance) for utterance in shown]
        call_id = lease.token.call_id
        events = [encode(FinalEvent(call_id, utterance)) for utterance in shown]
        lag_seconds = round(max(0.0, behind_seconds), 3)
        moved = abs(lag_seconds - warm.lag_seconds) >= LAG_STEP_SECONDS
        wordless = not finish and warm.recogniser.wordless_seconds >= WORDLESS_SECONDS
        if changed or self.utterances or moved or finish or wordless != warm.wordless:
            events.append(encode(PartialEvent(call_id, self.track, partial, lag_seconds, self.done_seq, wordless)))
            warm.lag_seconds = lag_seconds
        warm.done_seq = self.done_seq
        return Commit(
            done_seq=self.done_seq,
            open_seq=self.done_seq + 1 if finish else warm.begins_in(snapshot.open_from, self.done_seq),
            final_count=lease.final_count + len(self.utterances),
            done_samples=self.done_samples,
            chunks=self.chunks,
            audio_ms=self.audio_ms,
            audio_bytes=self.audio_bytes,
            state=_pack(snapshot),
            partial=partial,
            wordless=wordless,
            finals=self.utterances,
            events=events,
            dead=self.dead,
            finish=finish,
            to_everybody=to_everybody,
            shown=shown,
        )
