"""A cold recogniser for a lease: rebuilt from the saved snapshot and the journal. By the engine's contract
(engines/base.py) it then returns the same bytes as a warm one."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from state.calls.leases import JournalChunk, Lease
from workers.decoder.pieces import pieces
from workers.decoder.warm import WarmTrack
from workers.engines.base import Model, Snapshot

ABANDON_AFTER_TRIES = 7
"""Tries until the utterance is given up, too: closing it without the chunk has also killed the process, twice."""

_snapshot = msgspec.msgpack.Decoder(Snapshot)


class LeaseLost(Exception):
    """The journal does not match the lease: somebody has taken the lease away, or the store is damaged. The decoder may
    not commit. After ABANDON_AFTER_TRIES it gives up the chunks that the journal lacks instead."""


class Interrupted(Exception):
    """The process shuts down and has decoded nothing under this lease yet. It gives the lease back."""


def restore(
    model: Model, lease: Lease, stopping: Callable[[], bool], beat: Callable[[], None], voice: bool
) -> tuple[WarmTrack, list[JournalChunk]]:
    """A cold recogniser for the lease, and the chunks to decode."""
    for _ in model.warm_up(lease.rate):
        if stopping():
            raise Interrupted
        beat()
    old = [chunk for chunk in lease.journal if chunk.seq <= lease.done_seq]
    new = [chunk for chunk in lease.journal if chunk.seq > lease.done_seq]
    if lease.tries >= ABANDON_AFTER_TRIES:
        saved, open_from = _what_is_known(lease)
        return WarmTrack(model.recogniser(lease.rate, None, open_from), saved), new
    saved = _snapshot.decode(lease.state) if lease.state else None
    if lease.open_seq <= lease.done_seq and (not old or old[0].seq != lease.open_seq):
        raise LeaseLost
    open_from = saved.open_from if saved else 0
    if saved is None or saved.model != model.identity:
        # Another model (a deploy): its part of the open utterance is void, but its earlier finals stay.
        return WarmTrack(model.recogniser(lease.rate, None, open_from), saved), old + new
    warm = WarmTrack(model.recogniser(lease.rate, saved), saved)
    for chunk in old:
        if stopping():
            raise Interrupted
        for pcm, at in pieces(chunk, lease.rate, saved.open_from):
            if voice:
                warm.heard.add(pcm, at)
            warm.recogniser.replay(pcm, at)
            beat()
        warm.open_chunks.append((chunk.seq, chunk.at + chunk.samples))
    return warm, new


def _what_is_known(lease: Lease) -> tuple[Snapshot | None, int]:
    """The saved snapshot, if readable, and the sample from which on the open utterance is given up."""
    try:
        saved = _snapshot.decode(lease.state) if lease.state else None
    except msgspec.DecodeError:
        saved = None
    if saved is not None:
        return saved, min(saved.open_from, lease.done_samples)
    at = [chunk.at for chunk in lease.journal if chunk.seq <= lease.done_seq]
    return None, min([*at, lease.done_samples])
