"""The tracks that a decode loop keeps warm."""

from __future__ import annotations

from workers.decoder.warm import KEPT_SECONDS, WarmCache, WarmTrack
from workers.engines.stub import RECOGNISER_BYTES, StubModel


def track() -> WarmTrack:
    return WarmTrack(StubModel().recogniser(8000, None), None)


def test_a_track_that_went_to_another_decoder_leaves() -> None:
    now = [100.0]
    warm = WarmCache(10**9, lambda: now[0])
    warm.put(("ended elsewhere", "customer"), track())
    for _ in range(3):
        now[0] += KEPT_SECONDS / 2
        warm.put(("live", "customer"), track())
    assert len(warm) == 1
    assert warm.take(("ended elsewhere", "customer")) is None
    assert warm.take(("live", "customer")) is not None


def test_the_oldest_leave_until_the_budget_holds() -> None:
    warm = WarmCache(2 * RECOGNISER_BYTES)
    for number in range(3):
        warm.put((f"call-{number}", "customer"), track())
    assert [warm.take((f"call-{number}", "customer")) is None for number in range(3)] == [True, False, False]
