"""Lines in real time: how soon a page shows what was said, how far decoders fall behind, and what it costs.

Everything is real: HTTP, the store with its append-only file, the processes of the Procfile, a page's socket. All of it
shares this machine, the program that plays the lines too; its own cost is among the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from scripts.benchmarks.played import Line, LineFailed, Turn, read_recordings
from scripts.benchmarks.processes import Processes
from scripts.machine.programs import free_port
from scripts.machine.server import EmbeddedServer
from scripts.simulator.recording import DEMO
from tests.harness.viewers import Viewer, percentile

WARM_SECONDS = 5.0
"""First seconds, whose speech does not count: every track is new at once, as on no real morning."""

ROWS_IN_SIGHT = 16
"""Calls in the window of a page 900 pixels high. Only for these it wants the words of open utterances."""

DRAIN_SECONDS = 120.0
"""Most seconds until the fleet has decoded its backlog, after the lines fall silent."""

SAME_TURN_SECONDS = 0.5
"""Seconds by which an utterance may end before its turn: voices fade."""


@dataclass
class Page:
    """What the page hears of the lines, each with its arrival (monotonic seconds)."""

    finals: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    partials: int = 0
    lag_s: float = 0.0

    def on_event(self, event: dict[str, Any]) -> None:
        """One event of the feed."""
        if event["kind"] == "final" and event["utterance"]["text"]:
            self.finals.append((time.monotonic(), event["call_id"], event["utterance"]))
        elif event["kind"] == "partial":
            self.partials += bool(event["partial"])
            self.lag_s = max(self.lag_s, event["lag_seconds"])


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add options: which engine decodes which calls."""
    parser.add_argument("--engine", default="moonshine", help="moonshine, vosk, sherpa or auto")
    parser.add_argument("--vosk-model", default="", help="folder or official name, for --engine vosk")
    parser.add_argument("--sherpa-model", default="", help="folder or official name, for --engine sherpa")
    parser.add_argument("--folder", type=Path, default=DEMO, help="call-*/ folders (the demo)")


def bench_lines(options: argparse.Namespace) -> dict[str, Any]:
    """--lines two-party lines for --seconds."""
    recordings = read_recordings(options.folder)
    lines = [Line(n, recordings, int(options.seconds)) for n in range(options.lines)]
    with _fleet(options) as fleet:
        try:
            return asyncio.run(_measure(fleet, lines, int(options.seconds)))
        except (OSError, LineFailed) as error:
            raise SystemExit(f"bench: {error}") from None


async def _measure(fleet: Processes, lines: list[Line], seconds: int) -> dict[str, Any]:
    page = Page()
    sees = [line.call_id for line in lines[:ROWS_IN_SIGHT]]
    viewer = Viewer(f"http://127.0.0.1:{fleet.port}", sees=sees, on_event=page.on_event)
    follows = asyncio.create_task(viewer.run())
    while viewer.table_s is None and not viewer.closed:
        await asyncio.sleep(0.05)
    before, own, memory = fleet.spent(), time.process_time(), fleet.server_bytes()["memory"]
    began = time.monotonic()
    for n, line in enumerate(lines):
        line.began = began + n / len(lines)
    await asyncio.gather(*(line.play(fleet.port) for line in lines))
    waiting_s = await asyncio.to_thread(fleet.gauge, "backlog_seconds")
    memory = fleet.server_bytes()["memory"] - memory
    deadline = time.monotonic() + DRAIN_SECONDS
    while await asyncio.to_thread(fleet.gauge, "backlog_chunks") != 0:  # -1: the figure is missing
        if time.monotonic() > deadline:
            raise LineFailed(f"the decoders do not catch up in {DRAIN_SECONDS:.0f} s")
        await asyncio.sleep(0.1)
    await asyncio.sleep(1.0)  # the feed's last batch
    spent = {name: now - before[name] for name, now in fleet.spent().items()}
    spent["this_program"] = time.process_time() - own
    follows.cancel()
    if viewer.closed:
        raise LineFailed(f"the page's socket closed: {viewer.closed}")
    track_seconds = 2 * len(lines) * seconds
    return {
        "lines": len(lines),
        "seconds": seconds,
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[1], 1),
        "finals": len(page.finals),
        "partials": page.partials,
        "speech_end_to_page_s": _spread(_delays(page, lines)),
        "turn_end_to_page_s": _spread(_turn_delays(page, lines, seconds)),
        "lag_seconds_max": page.lag_s,
        "backlog_seconds_at_end": round(waiting_s, 1),
        "refused": sum(line.refused for line in lines),
        "sent_late_seconds_max": round(max(line.late_s for line in lines), 3),
        "cpu_cores": {name: round(cpu / seconds, 3) for name, cpu in spent.items()},
        "cpu_ms_per_track_second": {name: round(1000 * cpu / track_seconds, 2) for name, cpu in spent.items()},
        "store_bytes_per_line": round(memory / len(lines)),
        "resident_megabytes": fleet.resident_megabytes(),
    }


def _delays(page: Page, lines: list[Line]) -> list[float]:
    """Seconds from the end of each utterance's speech, as the engine found it, to the page."""
    began = {line.call_id: line.began for line in lines}
    return [at - began[call_id] - said["end"] for at, call_id, said in page.finals if said["end"] >= WARM_SECONDS]


def _turn_delays(page: Page, lines: list[Line], seconds: int) -> list[float]:
    """Seconds from the end of each written turn to the page's first utterance that reaches that end."""
    by_track: dict[tuple[str, str], list[tuple[float, dict[str, Any]]]] = {}
    for at, call_id, said in page.finals:
        by_track.setdefault((call_id, said["track"]), []).append((at, said))

    def shown(line: Line, turn: Turn) -> list[float]:
        found = [
            at
            for at, said in by_track.get((line.call_id, turn.track), ())
            if said["start"] < turn.end and said["end"] >= turn.end - SAME_TURN_SECONDS
        ]
        return [min(found) - line.began - turn.end] if found else []

    return [
        delay
        for line in lines
        for turn in line.turns
        if WARM_SECONDS <= turn.end < seconds
        for delay in shown(line, turn)
    ]


def _spread(delays: list[float]) -> dict[str, float | int | None]:
    """The seconds within which half of them, 95 % and all of them came; and their number."""
    shares = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    found = {name: percentile(delays, share) for name, share in shares.items()}
    return {name: None if s is None else round(s, 2) for name, s in found.items()} | {"count": len(delays)}


@contextlib.contextmanager
def _fleet(options: argparse.Namespace) -> Iterator[Processes]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earshot-lines-")))
        server = EmbeddedServer(folder / "server")
        stack.callback(server.stop)
        loops = len(os.sched_getaffinity(0))
        environ = {
            "REDIS_URL": server.url,
            "PORT": str(free_port()),
            "AUTH": "off",
            "EARSHOT_ENGINE": options.engine,
            "VOSK_MODEL": options.vosk_model,
            "SHERPA_MODEL": options.sherpa_model,
            "DECODER_LOOPS": str(loops),
        }
        fleet = Processes(folder, {server.pid: redis.Redis.from_url(server.url)}, environ)
        stack.callback(fleet.stop)
        fleet.wait("decoders_alive", loops)
        yield fleet
