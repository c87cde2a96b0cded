"""scripts/soak: runs every process type under real speech for half an hour, and says what grows.

It starts the Procfile's processes on a server of its own, plays the demo calls over and over as live telephony, and
opens the real page in a headless Chromium. Every few seconds it looks at each process (own memory, descriptors,
sockets, threads), at the server, the page and the lag. It prints one JSON object; --plot draws the same. It judges
nothing. For each figure it says how much it grew an hour, by a straight line through the samples after --warm.

Here ended calls leave the store after --keep seconds, not after RETENTION_HOURS, by the product's own sweep. So the
store comes to rest in minutes. The feed keeps an hour of events in any case, so it is a figure of its own.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from scripts.soaking.fleet import SoakFleet
from scripts.soaking.growth import growth
from scripts.soaking.plot import draw
from scripts.soaking.watch import watch


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1800.0, help="seconds of calls (1800)")
    parser.add_argument("--calls", type=int, default=20, help="calls at a time, two tracks each (20)")
    parser.add_argument("--speed", type=float, default=1.0, help="times faster than people spoke (1)")
    parser.add_argument("--call-seconds", type=int, help="seconds of each call (all of it)")
    parser.add_argument("--loops", type=int, default=2, help="decode loops (2)")
    parser.add_argument("--engine", default="moonshine", help="moonshine, vosk or stub")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two samples (10)")
    parser.add_argument("--warm", type=float, default=0.33, help="share of the run before growth is measured (0.33)")
    parser.add_argument("--keep", type=float, default=180.0, help="seconds that the store keeps an ended call (180)")
    parser.add_argument("--plot", type=Path, help="an SVG file to draw")
    options = parser.parse_args(argv)
    numbers = (options.seconds, options.every, options.keep, options.speed)
    if min(options.calls, options.loops, options.call_seconds or 1) < 1 or min(numbers) <= 0:
        parser.error("numbers are positive")
    if not 0 <= options.warm < 1:
        parser.error("--warm is 0 or more and less than 1")
    return options


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 if a process of the fleet ended by itself or a call failed."""
    options = arguments(argv)
    with (
        tempfile.TemporaryDirectory(prefix="earshot-soak-") as folder,
        SoakFleet(Path(folder), options) as fleet,
    ):
        samples = watch(fleet, options.seconds, options.every)
        report = {
            "calls_at_a_time": options.calls,
            "speed": options.speed,
            "call_seconds": options.call_seconds,
            "decode_loops": options.loops,
            "engine": options.engine,
            "seconds": options.seconds,
            "calls_played": fleet.played,
            "calls_in_the_database": fleet.archived(),
            "webhook_messages": fleet.told(),
            "complaints": fleet.complaints,
            "ended_by_themselves": fleet.ended(),
            **growth(samples, options.warm),
        }
    print(json.dumps(report, indent=1))
    if options.plot:
        options.plot.write_text(draw(samples, report))
    return 1 if report["complaints"] or report["ended_by_themselves"] else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
