"""scripts/capacity: the cores, processes, memory and dynos that so many two-party lines need.

scripts/capacity --lines 100                        measures this machine with a few lines first (a minute)
scripts/bench lines --lines 12 --seconds 120 > here.json
scripts/capacity --lines 100 --measured here.json   uses earlier figures

It prints one JSON object. Each line costs the same, so it multiplies. It does not say how late words are with so many
lines on one machine: scripts/bench lines does.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

from scripts.benchmarks.lines import add_engine_options, bench_lines
from state.settings import Settings

BUSY_SHARE = 0.6
"""Share of a core to plan with: calls come in waves, and a dead process leaves its work to others."""

MEASURE_LINES, MEASURE_SECONDS = 4, 40

SECOND_BYTES = 8000
"""Bytes that a second of a track of G.711 takes."""

OPEN_SECONDS = 20
"""Most seconds of an open utterance, and so of audio that the journal holds."""

CALL_BYTES, CALLS_A_DAY = 60_000, 80
"""Bytes of an ended call in the store (docs/SCALE.md), and calls of a line in a day."""

MASTER_CORES = 0.6
"""Most share of its one core that a plain server should use."""


class Dyno(NamedTuple):
    """A size that a Heroku-style platform sells (its documentation, 2026), with whole cores as it counts them."""

    name: str
    cores: float
    megabytes: int


SMALL = Dyno("standard-2x", 0.5, 1024)
"""It shares its cores with strangers, so it counts as half of one."""

LARGE = Dyno("performance-l", 8, 14336)


class CannotPlan(ValueError):
    """The figures are of no use. One line."""


def plan(lines: int, measured: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """What `lines` need, by the figures of `scripts/bench lines`. Raises CannotPlan."""
    try:
        cost_ms: dict[str, float] = measured["cpu_ms_per_track_second"]
        resident: dict[str, float] = measured["resident_megabytes"]
        cores = {name: 2 * lines * cost_ms[name] / 1000 for name in ("web", "decoder", "sentiment", "server")}
        loop_megabytes = resident["decoder"] / (measured["cores"] + 1)
    except (KeyError, TypeError) as error:
        raise CannotPlan(f"{error} is missing: this is not what scripts/bench lines prints") from None
    processes = {name: max(1, math.ceil(cores[name] / BUSY_SHARE)) for name in ("web", "decoder", "sentiment")}
    loops = processes.pop("decoder")
    a_dyno = min(int(LARGE.cores), int(LARGE.megabytes / loop_megabytes))
    live_bytes = 2 * lines * SECOND_BYTES * (settings.listen_seconds + OPEN_SECONDS)
    ended_bytes = lines * CALL_BYTES * CALLS_A_DAY * settings.retention_hours / 24
    return {
        "lines": lines,
        "chunks_per_second": 2 * lines,
        "cores": {name: round(used, 2) for name, used in cores.items()},
        "cores_planned": round(sum(cores.values()) / BUSY_SHARE, 1),
        "processes": processes | {"decode_loops": loops, "jobs": 1},
        "decoder_megabytes_per_loop": round(loop_megabytes),
        "store": {
            "memory_megabytes": round((live_bytes + ended_bytes) / 1e6),
            "of_that_for_live_calls": round(live_bytes / 1e6),
            "masters": max(1, math.ceil(cores["server"] / MASTER_CORES)),
        },
        "dynos": {
            "web": {SMALL.name: max(1, math.ceil(cores["web"] / BUSY_SHARE / SMALL.cores))},
            "decoder": {LARGE.name: math.ceil(loops / a_dyno), "DECODER_LOOPS": min(loops, a_dyno)},
            "sentiment": {SMALL.name: max(1, math.ceil(cores["sentiment"] / BUSY_SHARE / SMALL.cores))},
            "jobs": {SMALL.name: 1},
        },
        "assumed": {
            "busy_share_of_a_core": BUSY_SHARE,
            "calls_a_line_and_day": CALLS_A_DAY,
            "listen_seconds": settings.listen_seconds,
            "retention_hours": settings.retention_hours,
        },
        "measured": measured,
    }


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if it could not be done."""
    parser = argparse.ArgumentParser(
        prog="scripts/capacity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=_count, required=True, help="two-party lines that talk at the same time")
    parser.add_argument("--measured", type=Path, help="output of scripts/bench lines on the machine to plan with")
    add_engine_options(parser)
    options = parser.parse_args(argv)
    try:
        if options.measured:
            measured = json.loads(options.measured.read_text())
        else:
            sys.stderr.write(f"capacity: measuring {MEASURE_LINES} lines for {MEASURE_SECONDS} s\n")
            small = argparse.Namespace(**vars(options) | {"lines": MEASURE_LINES, "seconds": MEASURE_SECONDS})
            measured = bench_lines(small)
        print(json.dumps(plan(options.lines, measured, Settings())))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"capacity: {options.measured or ''}: {error}\n")
        return 1
    return 0


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 1_000_000:
        raise argparse.ArgumentTypeError("1 to 1000000")
    return count


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
