"""The plan for a number of lines comes from measured figures and grows with the lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.benchmarks.capacity import CannotPlan, main, plan
from scripts.benchmarks.played import Line, read_recordings
from scripts.simulator.recording import DEMO
from state.settings import Settings

MEASURED = {
    "cores": 2,
    "cpu_ms_per_track_second": {"web": 1.0, "decoder": 20.0, "sentiment": 0.5, "server": 1.0, "this_program": 9.0},
    "resident_megabytes": {"web": 100.0, "decoder": 900.0, "sentiment": 90.0},
}


def test_a_hundred_lines_from_what_was_measured() -> None:
    told = plan(100, MEASURED, Settings())
    assert told["cores"] == {"web": 0.2, "decoder": 4.0, "sentiment": 0.1, "server": 0.2}
    assert told["cores_planned"] == 7.5
    assert told["processes"] == {"web": 1, "sentiment": 1, "decode_loops": 7, "jobs": 1}
    assert told["dynos"]["decoder"] == {"performance-l": 1, "DECODER_LOOPS": 7}
    assert told["store"]["masters"] == 1


def test_ten_times_the_lines_need_ten_times_the_cores() -> None:
    hundred, thousand = (plan(lines, MEASURED, Settings()) for lines in (100, 1000))
    assert thousand["cores_planned"] == pytest.approx(10 * hundred["cores_planned"])
    assert thousand["dynos"]["decoder"]["performance-l"] > hundred["dynos"]["decoder"]["performance-l"]


def test_other_figures_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CannotPlan):
        plan(1, {"cores": 2}, Settings())
    for content in ("[]", "{", json.dumps({"cpu_ms_per_track_second": {"web": "much"}})):
        file = tmp_path / "here.json"
        file.write_text(content)
        assert main(["--lines", "3", "--measured", str(file)]) == 1
        assert capsys.readouterr().err.count("\n") == 1


def test_lines_say_different_things_at_the_same_moment() -> None:
    recordings = read_recordings(DEMO)
    lines = [Line(n, recordings, 60) for n in range(40)]
    firsts = {tuple(line.turns[:1]) for line in lines}
    assert len(firsts) > 35
    assert all(0 <= turn.start < 200 for line in lines for turn in line.turns)
