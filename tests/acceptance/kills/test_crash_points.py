"""Kill a decoder at any point between a chunk's delivery and its commit: the transcript does not change by a byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.calls.ingest import Chunk
from tests.acceptance.kills.cases import quick_or_soak
from tests.harness.fleet import Fleet
from tests.harness.places import PLACES


@pytest.fixture(scope="module")
def calm(fleet: Fleet, brief: dict[str, list[Chunk]]) -> dict[bytes, bytes]:
    """The transcript as one undisturbed worker makes it."""
    fleet.start("decoder", DECODER_LOOPS="1")
    fleet.feed("calm", brief)
    fleet.wait_finished(["calm"])
    assert fleet.stop() == [0]
    transcript = fleet.transcript("calm")
    assert len(transcript) >= 2, "the call must have utterances for this to mean anything"
    return transcript


@pytest.mark.parametrize(
    ("place", "engine", "point"),
    [
        pytest.param(
            *pair.values,
            point,
            id=f"{pair.id}-{point}",
            marks=[*pair.marks, *([] if pair.values[0] == PLACES[0] or "commit" in point else [pytest.mark.soak])],
        )
        for pair in quick_or_soak(["moonshine"])
        for point in ("after-delivery", "after-open", "mid-decode", "before-commit", "after-commit")
    ],
    indirect=["place", "engine"],
)
def test_a_crash_at_this_point_changes_no_byte(
    point: str, fleet: Fleet, brief: dict[str, list[Chunk]], calm: dict[bytes, bytes], tmp_path: Path
) -> None:
    visits = ["3", "11"]
    fleet.start(
        "decoder", ["tests/harness/broken/crashing_decoder.py", point, str(tmp_path), *visits], DECODER_LOOPS="1"
    )
    put = dict.fromkeys(brief, 0)

    def in_step() -> None:
        """Wait for each chunk. So each has its own lease, and the decoder passes the point often."""
        track = min((name for name in put if put[name] < len(brief[name])), key=lambda name: put[name])
        put[track] += 1
        fleet.wait(lambda: fleet.decoded(point, track, put[track]))

    fleet.feed(point, brief, after_each=in_step)
    fleet.wait_finished([point])
    assert fleet.stop() == [0]
    died = sorted(path.name for path in tmp_path.glob("died-*"))
    assert died == ["died-11", "died-3"], "the decoder reaches the point often enough to die twice"
    assert fleet.transcript(point) == calm
    fleet.assert_at_rest()
