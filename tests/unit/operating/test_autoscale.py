"""The scaling rule, and the days that scripts/autoscale --simulate plays with it."""

from __future__ import annotations

import json

import pytest

from scripts.operating.autoscale import day_of, main, plot, summary
from scripts.operating.scaling import STEP_SECONDS, Costs, Rule, play


def test_the_larger_of_busy_and_lag_counts_within_bounds() -> None:
    rule = Rule(busy=0.6, lag_seconds=20, least=2, most=10)
    assert rule.wanted(4, 0.6, 0) == 4
    assert rule.wanted(4, 0.64, 0) == 4, "within the tolerance"
    assert rule.wanted(4, 0.9, 0) == 6
    assert rule.wanted(4, 0.9, 150) == 8, "lag asks for eight"
    assert rule.wanted(4, 1.0, 10_000) == 8, "one look at most doubles the number"
    assert rule.wanted(8, 1.0, 10_000) == 10
    assert rule.wanted(4, 0.0, 0) == 2


def test_a_steady_load_settles_at_the_target_and_is_never_late() -> None:
    costs, rule = Costs(decode_ms=28, loops=2), Rule(most=100)
    last = play(lambda _hour: 300.0, rule, costs, 3)[-1]
    assert (last.lag_seconds, last.backlog_seconds, last.refused_seconds) == (0, 0, 0)
    assert last.busy == pytest.approx(rule.busy, rel=0.1)
    assert last.decoders == pytest.approx(300 * 2 * 0.028 / 2 / 0.6, abs=1.5)


def test_no_audio_is_made_or_lost() -> None:
    costs, rule = Costs(), Rule(most=12)
    moments = play(day_of((1.0,) * 24, 500, 2.0), rule, costs, 12)
    came = sum(one.lines * 2 * STEP_SECONDS for one in moments)
    decoded = sum(one.busy * costs.decoded_seconds(one.decoders, STEP_SECONDS) for one in moments)
    refused = sum(one.refused_seconds for one in moments)
    assert came == pytest.approx(decoded + refused + moments[-1].backlog_seconds, rel=1e-6)
    assert refused > 0 and moments[-1].backlog_seconds == costs.backlog_limit_seconds


def test_decoders_that_start_slowly_or_stay_for_less_long_show_in_lag_and_cost() -> None:
    burst = day_of((0.2,) * 24, 1000, 3.0)
    quick, slow = (play(burst, Rule(most=200), Costs(start_seconds=start)) for start in (15, 300))
    assert max(one.lag_seconds for one in quick) < max(one.lag_seconds for one in slow)
    stays, goes = (Rule(most=200, cooldown_seconds=seconds) for seconds in (3600, 60))
    assert (
        summary(play(burst, goes, Costs()), goes, Costs())["cost"]
        < summary(play(burst, stays, Costs()), stays, Costs())["cost"]
    )


def test_the_command_prints_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--simulate", "--lines", "100", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["hours"]) == 24 and told["day"]["cost"] < told["day"]["cost_of_a_fixed_fleet"]
    assert main(["--simulate", "--lines", "100", "--curve", ",".join(["0"] * 24)]) == 0
    assert "late percent" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong", ["--lines 0", "--lag nan", "--busy 1.1", "--busy 0", "--every 7", "--least 3 --most 2", "--curve 1,2",
              "--core-hour inf", "--loops x"]
)  # fmt: skip
def test_what_makes_no_sense_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--simulate", *wrong.split()])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("scripts/autoscale: error: ")


def test_a_plot_shows_the_most_at_full_height() -> None:
    assert plot([0.0] * 96 + [1.0] * 96)[0] == " " * 48 + "█" * 48
