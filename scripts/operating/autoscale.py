"""How many decoders the load asks for: now, or through a simulated day.

scripts/autoscale                           one number, for a platform's scaler (deploy/platform-scaler.sh)
scripts/autoscale --simulate --lines 1000   plays a day: how late words are, and what it costs

Both follow one rule: --busy and --lag each give a number of decoders. The larger number counts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from scripts.operating.scaling import STEP_SECONDS, Costs, Moment, Rule, play
from scripts.operating.store import Operator, command_parser, run, table
from state.calls.health import Health

DAY = (
    *(0.02, 0.02, 0.01, 0.01, 0.02, 0.04, 0.1, 0.3, 0.7, 0.95, 1.0, 0.97),
    *(0.8, 0.82, 0.92, 0.95, 0.88, 0.7, 0.5, 0.35, 0.22, 0.14, 0.08, 0.04),
)
"""Live lines at each full hour of an office's day, as shares of the most. We made this curve up; nobody measured it."""

LATE_SECONDS = 3.0
"""Seconds behind from which a track's words are late: it gets no more partials then (workers/decoder/track.py)."""

PLOT_COLUMNS, PLOT_ROWS = 96, 8
"""Characters of the plot. A column is a quarter of an hour."""


def arguments(argv: list[str]) -> argparse.Namespace:
    rule, costs = Rule(), Costs()
    parser = command_parser("autoscale", __doc__)
    parser.add_argument("--simulate", action="store_true", help="play a day instead of asking the store")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.add_argument_group("the rule")
    asked.add_argument("--busy", type=share, default=rule.busy, help="share of their time that loops should work")
    asked.add_argument("--lag", type=positive, default=rule.lag_seconds, help="seconds of waiting audio per decoder")
    asked.add_argument("--least", type=whole, default=rule.least, help="fewest decoders")
    asked.add_argument("--most", type=whole, default=rule.most, help="most decoders")
    asked.add_argument("--loops", type=whole, default=costs.loops, help="decode loops (cores) of a decoder")
    day = parser.add_argument_group("the day, with --simulate")
    day.add_argument("--lines", type=whole, default=1000, help="live lines in the busiest hour")
    day.add_argument("--curve", type=curve, default=DAY, help="24 shares of --lines, one an hour, with commas")
    day.add_argument("--burst", type=positive, default=1.0, help="times the lines, for half an hour from 10:00")
    day.add_argument("--decode-ms", type=positive, default=costs.decode_ms, help="ms of a core for a second of a track")
    day.add_argument("--start", type=whole, default=costs.start_seconds, help="seconds until a new decoder works")
    day.add_argument("--every", type=whole, default=rule.every_seconds, help="seconds between two looks")
    day.add_argument("--cooldown", type=whole, default=rule.cooldown_seconds, help="seconds before decoders go")
    day.add_argument("--core-hour", type=positive, default=costs.core_hour, help="price of a core for an hour")
    options = parser.parse_args(argv)
    if options.least > options.most:
        parser.error("--least is more than --most")
    if options.every % STEP_SECONDS:
        parser.error(f"--every: a multiple of {STEP_SECONDS} is expected")
    return options


def whole(text: str) -> int:
    """A whole number from 1 to a million."""
    if not 1 <= int(text) <= 1_000_000:
        raise ValueError
    return int(text)


def positive(text: str) -> float:
    """A number above 0, at most a million."""
    if not 0 < float(text) <= 1_000_000:
        raise ValueError
    return float(text)


def share(text: str) -> float:
    """A number above 0, at most 1."""
    if not 0 < float(text) <= 1:
        raise ValueError
    return float(text)


def curve(text: str) -> tuple[float, ...]:
    """24 numbers from 0 to 1."""
    found = tuple(float(part) for part in text.split(","))
    if len(found) != 24 or not all(0 <= one <= 1 for one in found):
        raise ValueError
    return found


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if the store does not answer."""
    options = arguments(argv)
    rule = Rule(options.busy, options.lag, options.least, options.most, options.every, options.cooldown)
    if not options.simulate:
        return run("autoscale", options.data, lambda at: now(at, rule, options))
    costs = Costs(options.decode_ms, options.loops, options.start, options.core_hour)
    moments = play(day_of(options.curve, options.lines, options.burst), rule, costs)
    found = summary(moments, rule, costs)
    if options.json:
        say_json({"rule": rule, "costs": costs, "day": found, "hours": hours(moments)})
    else:
        show(moments, found)
    return 0


def now(at: Operator, rule: Rule, options: argparse.Namespace) -> None:
    """Print how many decoders the rule wants from what the store says now."""
    fleet = Health(at.shards).fleet()
    running = max(1, round(fleet.decoders / options.loops))
    busy = rule.busy if fleet.busy is None else fleet.busy
    wanted = rule.wanted(running, busy, fleet.backlog_seconds)
    if options.json:
        say_json({"wanted": wanted, "running": fleet.decoders / options.loops, "busy": fleet.busy,
                  "backlog_seconds": fleet.backlog_seconds})  # fmt: skip
    else:
        print(wanted)


def day_of(shares: tuple[float, ...], most: int, burst: float) -> Callable[[float], float]:
    """Live lines at an hour of the day: straight lines between full hours, and the burst."""

    def lines(hour: float) -> float:
        before, part = int(hour), hour - int(hour)
        level = shares[before % 24] * (1 - part) + shares[(before + 1) % 24] * part
        return level * most * (burst if 10 <= hour < 10.5 else 1.0)

    return lines


def summary(moments: list[Moment], rule: Rule, costs: Costs) -> dict[str, float]:
    """The day in numbers. A fixed fleet has as many decoders as the busiest moment asks for."""
    audio = sum(moment.lines for moment in moments)
    late = sum(moment.lines for moment in moments if moment.lag_seconds > LATE_SECONDS)
    step_hours = STEP_SECONDS / 3600
    core_hours = sum(moment.decoders for moment in moments) * costs.loops * step_hours
    busiest = max(moment.lines for moment in moments)
    fixed = max(rule.least, -(-busiest * 2 * costs.decode_ms / 1000 // (costs.loops * rule.busy)))
    refused = sum(moment.refused_seconds for moment in moments)
    return {
        "lag_seconds_max": round(max(moment.lag_seconds for moment in moments), 2),
        "late_percent": round(100 * late / audio, 3) if audio else 0.0,
        "refused_seconds": round(refused, 1),
        "decoders_least": min(moment.decoders for moment in moments),
        "decoders_most": max(moment.decoders for moment in moments),
        "core_hours": round(core_hours, 1),
        "cost": round(core_hours * costs.core_hour, 2),
        "cost_of_a_fixed_fleet": round(fixed * costs.loops * 24 * costs.core_hour, 2),
    }


def hours(moments: list[Moment]) -> list[dict[str, float]]:
    """For each hour: mean lines and busy time, most decoders, greatest lag."""
    a_hour = 3600 // STEP_SECONDS
    rows = []
    for start in range(0, len(moments), a_hour):
        part = moments[start : start + a_hour]
        rows.append({
            "hour": start // a_hour,
            "lines": round(sum(one.lines for one in part) / len(part), 1),
            "decoders": max(one.decoders for one in part),
            "busy": round(sum(one.busy for one in part) / len(part), 3),
            "lag_seconds_max": round(max(one.lag_seconds for one in part), 2),
        })  # fmt: skip
    return rows


def show(moments: list[Moment], found: dict[str, float]) -> None:
    """Print the table, the plots and the day in numbers."""
    head = ("hour", "lines", "decoders", "busy", "lag, most")
    table([head, *(
        (f"{row['hour']:02.0f}:00", f"{row['lines']:.0f}", f"{row['decoders']}", f"{row['busy']:.0%}",
         f"{row['lag_seconds_max']:.1f} s") for row in hours(moments)
    )])  # fmt: skip
    for name, values in (
        ("lines", [one.lines for one in moments]),
        ("decoders", [float(one.decoders) for one in moments]),
        ("lag in seconds", [one.lag_seconds for one in moments]),
    ):
        print(f"\n{name}, up to {max(values):.4g}")
        print("\n".join(plot(values)))
    print(f"{'0':<24}{'6':<24}{'12':<24}{'18':<23}24\n")
    for name, value in found.items():
        print(f"{name.replace('_', ' '):22} {value:g}")


def plot(values: list[float]) -> list[str]:
    """The largest value of each column as a bar, PLOT_ROWS lines high."""
    wide = len(values) / PLOT_COLUMNS
    tops = [max(values[int(n * wide) : int((n + 1) * wide)]) for n in range(PLOT_COLUMNS)]
    most = max(tops) or 1.0
    eighths = [round(8 * PLOT_ROWS * top / most) for top in tops]
    return [
        "".join(" ▁▂▃▄▅▆▇█"[max(0, min(8, one - 8 * row))] for one in eighths).rstrip()
        for row in reversed(range(PLOT_ROWS))
    ]


def say_json(what: dict[str, Any]) -> None:
    sys.stdout.write(msgspec.json.encode(what).decode() + "\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
