"""How busy a decode loop says that it is."""

from __future__ import annotations

from workers.decoder.measured import BUSY_OVER_SECONDS, Busy


def test_a_loop_tells_the_share_of_its_last_full_stretch() -> None:
    now = [100.0]
    busy = Busy(lambda: now[0])
    assert busy.percent() == 0
    busy.add(3.0)
    now[0] += BUSY_OVER_SECONDS / 2
    assert busy.percent() == 0, "half a stretch says nothing"
    now[0] += BUSY_OVER_SECONDS / 2
    assert busy.percent() == 30
    now[0] += BUSY_OVER_SECONDS
    assert busy.percent() == 0
    busy.add(99.0)
    now[0] += BUSY_OVER_SECONDS
    assert busy.percent() == 100
