"""scripts/bench: measures, prints one JSON object for each benchmark on stdout, and judges nothing.

cliffs     scoring by live calls and by a call's length; looking after dead decoders by fleet size; ending idle calls
decode     processor seconds per second of audio: the fleet's decoders beside the bare library, on the demo calls
desk       agents' own pages that ask for their live call: processor time and bytes of an answer
engine     word error rate of each demo call, and the recogniser's processor time with and without partials
history    each filter of the history over many archived calls, on SQLite and PostgreSQL
lines      lines in real time: end of speech to the page, lag, refusals, cores by kind of process
overhead   the fleet without decoding (stub engine): chunks a second, time from ingest to commit, cost of a chunk
page       pages that come at once to live calls, and stay: time to the table, cost, bytes, frames in a browser
search     a search over 500 to 5000 live calls: the first one, and those that follow
scale      a chunk's cost in web, server, decoder and sentiment, by live tracks and shards (a quarter of an hour)
streams    live sockets into one streams process on one core: the cost of each, and the audio taken in time
utterances many tracks in mid-utterance on one decode loop, with --engine vosk: its processes and memory
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from scripts.benchmarks.cliffs import bench_cliffs
from scripts.benchmarks.decode import bench_decode, bench_engine
from scripts.benchmarks.desk import bench_desk
from scripts.benchmarks.history import bench_history
from scripts.benchmarks.lines import add_engine_options, bench_lines
from scripts.benchmarks.overhead import bench_overhead
from scripts.benchmarks.page import bench_page
from scripts.benchmarks.scale import bench_scale
from scripts.benchmarks.search import bench_search
from scripts.benchmarks.streams import bench_streams
from scripts.benchmarks.utterances import bench_utterances

BENCHES: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "cliffs": bench_cliffs,
    "decode": bench_decode,
    "desk": bench_desk,
    "engine": bench_engine,
    "history": bench_history,
    "lines": bench_lines,
    "overhead": bench_overhead,
    "page": bench_page,
    "search": bench_search,
    "scale": bench_scale,
    "streams": bench_streams,
    "utterances": bench_utterances,
}


def _numbers(text: str) -> list[int]:
    found = [int(part) for part in text.split(",")]
    if min(found) < 1:
        raise ValueError("1 or more")
    return found


def main(argv: list[str]) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)} (all)")
    add_engine_options(parser)
    parser.add_argument(
        "--seconds",
        type=float,
        default=10.0,
        help="seconds of desk, overhead, lines, and each part of page, streams",
    )
    parser.add_argument("--calls", type=int, default=100, help="calls of overhead, two tracks each")
    parser.add_argument("--lines", type=int, default=12, help="two-party lines of lines")
    parser.add_argument("--viewers", type=int, default=100, help="pages of page")
    parser.add_argument("--agents", type=int, default=300, help="agents' pages of desk")
    parser.add_argument("--live", type=int, default=1000, help="live calls of page; most live calls of search")
    parser.add_argument("--rate", type=float, default=1.0, help="events a second of each call of page and search")
    parser.add_argument("--archived", type=int, default=100_000, help="calls of history, of 60 utterances")
    parser.add_argument("--streams", type=_numbers, default=[100, 600], help="sockets of streams (100,600)")
    parser.add_argument(
        "--tracks", type=_numbers, default=[100, 1000, 5000], help="live tracks of scale: 100,1000,5000"
    )
    parser.add_argument("--shards", type=_numbers, default=[1, 2, 4, 8], help="shards of scale (1,2,4,8)")
    parser.add_argument("--chunks", type=int, default=2000, help="chunks that scale measures, for each of these")
    parser.add_argument("--chunk-rate", type=float, default=100.0, help="chunks a second of scale")
    parser.add_argument("--korean", action="store_true", help="Korean calls, by eSpeak NG, for decode and engine")
    parser.add_argument("--open", type=int, default=60, help="tracks of utterances")
    parser.add_argument("--cluster", action="store_true", help="scale on a cluster: three masters with a replica each")
    options = parser.parse_args(argv)
    unknown = set(options.names) - set(BENCHES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    if not options.names:
        sys.stderr.write(f"bench: all of {', '.join(BENCHES)}: about half an hour. For one: scripts/bench NAME\n")
    for name in options.names or BENCHES:
        sys.stderr.write(f"bench: {name}\n")
        print(json.dumps({"bench": name} | BENCHES[name](options)), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
