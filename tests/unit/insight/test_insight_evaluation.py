"""The evaluation's own arithmetic, and how it reads files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scripts.evaluation import __main__ as command
from scripts.evaluation import dialogues, noisy, ratings, speech, written
from scripts.evaluation.figures import Call, figures, follow
from scripts.evaluation.lines import RATE
from scripts.evaluation.speech import SpokenCall
from scripts.evaluation.stats import auc, edit_distance, pearson
from workers.engines.choose import Wanted
from workers.insight.attention import AttentionModel
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.words.spoken import Spoken


def test_auc_counts_pairs_in_the_right_order_and_ties_by_half() -> None:
    assert auc([2, 3], [0, 1]) == 1.0
    assert auc([1, 1], [1, 1]) == 0.5
    assert auc([0, 2], [1, 1]) == 0.5
    assert auc([2, 1], [1, 0]) == 0.875
    assert auc([], [1]) is None


def test_pearson_and_edit_distance() -> None:
    assert pearson([1, 2, 3], [2, 4, 6]) == pytest.approx(1.0)
    assert pearson([1, 2, 3], [1, 1, 1]) is None
    assert edit_distance(["a", "b", "c"], ["a", "x", "c", "d"]) == 2


def test_the_command_measures_given_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rated = tmp_path / "Mine.txt"
    rated.write_text(
        "USER\tHi there\t\t3,3\nSYSTEM\tSorry, no.\t\t\nUSER\tThis is useless!\t\t1,2\n"
        "USER\tOVERALL\t\t1,2\n\n"
        "USER\tGreat, thank you\t\t5,4\nUSER\tOVERALL\t\t5,5\n"
    )
    single = tmp_path / "single.txt"
    single.write_text("1\t-3.0\tthis is awful\n2\t2.5\tlovely\n3\t0.1\tit is a table\n")
    folder = tmp_path / "call-x"
    folder.mkdir()
    turns = [{"track": "customer", "start_s": 0.0, "end_s": 2.0, "text": "hello there", "polarity": 0.0}]
    truth = {
        "call": "x",
        "duration_s": 3.0,
        "needs_attention": False,
        "attention_from_s": None,
        "tolerated_s": [],
    }
    (folder / "truth.json").write_text(json.dumps({**truth, "turns": turns}))
    heard = tmp_path / "heard"
    heard.mkdir()
    (heard / "x.json").write_text(json.dumps([{"track": "customer", "start": 0, "end": 2, "text": "Hello bear"}]))
    status = command.main(
        [
            "--dialogues",
            str(rated),
            "--ratings",
            str(single),
            "--calls",
            str(tmp_path),
            "--recognised",
            str(heard),
        ]
    )
    out = capsys.readouterr().out
    assert status == 0
    assert "Mine all" in out and "1/3" in out and "0/1" in out
    assert "single" in out and "word error rate of the recogniser: 50.0 % of 2 words" in out


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text("USER\thello\t\tone,two\n")
    assert command.main(["--dialogues", str(bad)]) == 2
    assert "bad.txt line 1" in capsys.readouterr().err
    with pytest.raises(ValueError, match="line 1"):
        ratings.load(bad)
    assert command.main(["--dialogues", str(tmp_path / "nowhere.txt")]) == 2


def test_sessions_are_read_with_their_ratings(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("USER\tHello, You!\tx\t1,2\nUSER\tOVERALL\t\t4,5\n\n\nSYSTEM\tBye\t\t\n")
    first, second = dialogues.load(file)
    assert first.turns == [(True, "hello you", 1.5)] and first.rating == 4.5
    assert second.turns == [(False, "bye", None)] and second.rating is None


def test_figures_count_bad_below_2_5_and_good_from_3() -> None:
    turns = [(1.0, -0.5), (4.0, 0.5)]
    found = figures(
        [
            Call(2.0, -0.5, 0.9, 0.9, True, turns),
            Call(2.7, -0.6, 0.4, 0.4, True, []),
            Call(3.0, 0.1, 0.5, 0.5, True, []),
            Call(5.0, 0.5, 0.0, 0.0, False, []),
            Call(None, None, 1.0, 1.0, True, turns),
        ]
    )
    assert (found.turn_auc, found.dialogue_auc, found.peak_auc) == (1.0, 0.6667, 1.0)
    assert (found.good, found.good_raised, found.bad, found.bad_raised) == (2, 1, 1, 1)
    assert [(b.calls, b.shown, b.deserved) for b in found.calibration if b.calls] == [
        (1, 0.0, 0.0),
        (2, 0.45, 0.0),
        (1, 0.9, 1.0),
    ]


def test_json_holds_the_given_sets_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rated = tmp_path / "Mine.v2.txt"
    rated.write_text("USER\tThis is useless!\t\t1,2\nUSER\tOVERALL\t\t1,2\n\nUSER\tHello\t\t4\nUSER\tOVERALL\t\t4\n")
    assert command.main(["--json", "--dialogues", str(rated)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["sets"] and list(told["sets"]) == ["Mine.v2"]
    mine = told["sets"]["Mine.v2"]
    assert mine["turn_auc"] == mine["dialogue_auc"] == mine["peak_auc"] == 1.0
    assert mine["good"] == 1 and mine["bad"] == 1 and mine["good_raised"] == 0
    assert sum(b["calls"] for b in mine["calibration"]) == 2


def test_without_rated_dialogues_it_says_how_to_get_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "RATED", tmp_path / "nowhere")
    assert command.main(["--json"]) == 0
    told = capsys.readouterr()
    assert "--dialogues" in told.err and set(json.loads(told.out)["sets"]) == {
        "written-read",
        "written-apart",
        "ordinary-apart",
    }


def test_written_calls_are_told_apart_and_those_kept_apart_too() -> None:
    model = AttentionModel(CallAnalyzer())
    wrong: list[str] = []
    apart = 0
    for call in written.load():
        said = written.spoken(call)
        if follow(said, model)[2] != call.needed:
            if call.tuned:
                wrong.append(call.name)
            else:
                apart += 1  # without its name: whoever sees the names will tune the model to these calls
    assert wrong == ["parcel sarcastic laptop"], "sarcasm without an angry word"
    assert apart <= 2, "wrong calls of the 32 kept apart"


def test_the_noisy_column_stands_beside_the_true_one(monkeypatch: pytest.MonkeyPatch) -> None:
    tone = np.sin(np.arange(6 * RATE)) * speech.LEVEL
    call = SpokenCall([Spoken("customer:0", "customer", 0.5, 5.5, "this is useless")], {"customer": tone})
    heard = speech.on_the_line(call, "customer", 20.0)
    assert len(heard) == len(tone) and 0 < float(np.std(heard - tone)) < 0.2 * speech.LEVEL
    monkeypatch.setattr(noisy, "_spoken", lambda _folder: [("mine", True, call), ("mine", False, call)])
    found = noisy.columns(Path(), AttentionModel(CallAnalyzer()), Wanted(engine="stub"))
    true, line = found["mine"]
    assert (true.bad, line.bad, line.good, line.peak_auc) == (1, 1, 1, 0.5)
    assert line.word_error_rate > 1 / 2, "the stub hears checksums"
    assert "mine, words true" in noisy.report(found)
