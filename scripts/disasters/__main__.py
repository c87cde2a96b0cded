"""scripts/chaos: puts a fleet of real processes under disasters, and checks that nothing is lost or said twice.

First it plays every recording once in peace. Then many calls play them at the same time over real HTTP. Their senders
repeat, hurry and lose answers. Meanwhile it kills, stops and terminates processes, cuts links, kills the server, rolls
it back by up to a second, fills it up and sets its clock. Ended calls move to a database, which is away at times. At
the end every call's transcript must equal the peaceful one byte for byte, and the database must have what Redis has.
It prints one JSON object. Exit status 1 means that something is wrong. --seed repeats the dice, not the machine's
timing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from scripts.disasters.calls import SPEECH_CHUNK_MS, STUB_CHUNK_MS, Callers, Said, Template, templates
from scripts.disasters.check import Checks, ShownPage
from scripts.disasters.database import Database
from scripts.disasters.faults import Faults, Store
from scripts.disasters.many_servers import ManyServers
from scripts.disasters.one_server import OneServer
from scripts.disasters.processes import Keeper, Kind
from scripts.machine.programs import READY_SECONDS, ROOT, free_port
from scripts.simulator.recording import DEMO
from state.server.connection import Role
from state.server.opening import open_shards
from state.server.shards import Shards
from state.settings import Settings
from tests.harness.invariants import at_rest, violations

PAUSE_SECONDS = (0.3, 2.0)
"""Seconds between two disasters."""

LONG_SECONDS, SUMMARY_SECONDS = 300.0, 180.0
"""Seconds from which a run also waits for the summaries, and for how many: somebody asks for a lost job again only
after a minute."""

STALLED_SECONDS = 90.0
"""Most seconds without any change after the chaos: somebody asks for a lost job again after a minute."""


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="seconds of disasters (30)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--decoders", type=int, default=3, help="decode loops, in two processes")
    parser.add_argument("--calls", type=int, default=8, help="calls at a time")
    parser.add_argument("--engine", choices=("stub", "moonshine", "vosk"), default="stub")
    parser.add_argument("--speed", type=float, default=1.0, help="speed, as a multiple of real time")
    parser.add_argument("--cluster", action="store_true", help="store in a cluster of three masters and three replicas")
    parser.add_argument("--shards", type=int, default=8, help="shards of the store (8)")
    parser.add_argument("--redact", action="store_true", help="mask, and compare what is stored in the end")
    options = parser.parse_args(argv)
    if min(options.decoders, options.calls, options.shards) < 1 or options.seconds < 0 or options.speed <= 0:
        parser.error("--decoders, --calls and --shards are 1 or more, --seconds and --speed positive")
    return options


class Run:
    """Everything of one run."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.dice = random.Random(options.seed)
        self.folder = folder
        kind = ManyServers if options.cluster else OneServer
        self.store: Store = kind(folder, self.dice, options.shards)
        self.database = Database(folder, self.dice)
        self.port = free_port()
        self.said = Said()
        stub = options.engine == "stub"
        recordings: list[Template] = templates(options.engine, DEMO, self.dice)
        url = f"http://127.0.0.1:{self.port}"
        chunk_ms = STUB_CHUNK_MS if stub else SPEECH_CHUNK_MS
        self.callers = Callers(url, recordings, chunk_ms, options.speed, self.store.confirm_seconds, self.said)
        environ = dict(
            os.environ,
            **self.store.environ,
            DATABASE_URL=self.database.url,
            SHARDS=str(options.shards),
            PORT=str(self.port),
            EARSHOT_ENGINE=options.engine,
            HEARTBEAT_SECONDS="1",
            AUTH="off",
            REDACT="1" if options.redact else "0",
            WEB_CONCURRENCY="2",
            WEB_THREADS="32",
            OMP_NUM_THREADS="1",
        )
        self.keeper = Keeper(ROOT, folder / "logs", environ)
        self.shards = self._shards("jobs")
        self.checks = Checks(self.shards)

    def start(self) -> None:
        """Start the fleet and wait until it can work."""
        loops = self.options.decoders
        for name, count in (("decoder-1", (loops + 1) // 2), ("decoder-2", loops // 2)):
            if count:
                self.keeper.add(Kind(name, ["-m", "workers.decoder"], {"DECODER_LOOPS": str(count)}))
        for name in ("sentiment-1", "sentiment-2"):
            self.keeper.add(Kind(name, ["-m", "workers.sentiment"], {}))
        self.keeper.add(Kind("jobs", ["-m", "workers.jobs"], {}))
        serve = ["-m", "gunicorn", "-c", "webapp/gunicorn_conf.py", "webapp.app:create_app()"]
        self.keeper.add(Kind("web", serve, {}))
        self._wait_ready()

    def calm(self) -> dict[int, dict[bytes, bytes]]:
        """Each recording's transcript, played without any trouble."""
        ids = self.callers.play_calmly()
        self.checks.wait_ended(ids, STALLED_SECONDS)
        self.checks.wrong += self.database.wait_first(SUMMARY_SECONDS)
        if self.options.redact:  # some words are masked only with the summary
            self.checks.wait_summarised(SUMMARY_SECONDS)
        return {number: self.checks.transcript(call_id) for number, call_id in enumerate(ids)}

    def chaos(self) -> tuple[Faults, ShownPage]:
        """Let disasters strike until all calls are posted."""
        page = ShownPage(f"http://127.0.0.1:{self.port}")
        faults = Faults(self.dice, self.store, self.keeper, [(1, self.database.take_away)])
        self.callers.start(self.options.calls, self.options.seed)
        deadline = time.monotonic() + self.options.seconds
        told = time.monotonic()
        try:
            while time.monotonic() < deadline:
                pause = time.monotonic() + self.dice.uniform(*PAUSE_SECONDS)
                while time.monotonic() < pause:
                    self.keeper.tick()
                    faults.go_on()
                    time.sleep(0.1)
                faults.strike()
                if time.monotonic() - told > 60:
                    told = time.monotonic()
                    say(f"{deadline - told:.0f} s to go, {len(self.callers.calls)} calls so far")
        finally:
            faults.calm()
            self.database.calm()
            self.callers.finish_soon()
            while self.callers.busy():
                self.keeper.tick()
                time.sleep(0.1)
        return faults, page

    def judge(self, calm: dict[int, dict[bytes, bytes]], faults: Faults, page: ShownPage) -> dict[str, Any]:
        """Wait until the rest is decoded and scored, check everything, and stop everything. Returns the report."""
        calls = self.callers.calls
        began = time.monotonic()
        self.checks.wait_ended(list(calls), STALLED_SECONDS)
        drained_seconds = time.monotonic() - began
        if self.options.redact or self.options.seconds >= LONG_SECONDS:
            self.checks.wait_summarised(SUMMARY_SECONDS)
            self.checks.wrong += self.database.wait_moved(self.shards, SUMMARY_SECONDS)
        for call_id, number in calls.items():
            self.checks.call(call_id, calm[number], self.callers.metadata(call_id))
        calm_ids = {f"calm-{number}" for number in calm}
        self.checks.only(set(calls) | calm_ids)
        compared = self.checks.page(page)
        self.keeper.stop()
        wrong = self.checks.wrong + self.database.complaints(self.shards, self.options.redact)
        wrong += self.said.complaints + self.keeper.failures + self.store.complaints
        wrong += violations(self.shards) + at_rest(self.shards)
        if dead := sum(shard.redis.xlen(shard.keys.dead) for shard in self.shards):
            wrong.append(f"{dead} chunks were given up although they were sound")
        time.sleep(2)  # loops of a killed parent notice it within a second
        wrong += [f"process {pid} is still there" for pid in self.keeper.left_over()]
        return {
            "seed": self.options.seed,
            "store": "cluster" if self.options.cluster else "one server",
            "shards": self.options.shards,
            "engine": self.options.engine,
            "redacted": self.options.redact,
            "seconds": self.options.seconds,
            "calls": len(calls),
            "utterances": self.checks.utterances,
            "gap_marks": self.checks.marks,
            "answers": dict(sorted(self.said.answers.items())),
            "disasters": dict(sorted(faults.counts.items())),
            "restarts": dict(sorted(self.keeper.restarts.items())),
            "longest_stop_seconds": dict(sorted(self.keeper.longest_stops.items())),
            "drained_seconds": round(drained_seconds, 1),
            "page": {"events": page.events, "snapshots": page.snapshots, "rows_compared": compared},
            "calls_in_database": len(self.database.moved()),
            "summaries_outstanding": self.checks.unsummarised(),
            "violations": wrong,
        }

    def close(self) -> None:
        """Stop everything, however the run went."""
        self.callers.finish_soon()
        self.keeper.kill_left_over()
        self.database.close()
        self.store.close()

    def _shards(self, role: Role) -> Shards:
        return open_shards(
            Settings(
                redis_url=self.store.environ["REDIS_URL"],
                jobs_redis_url=self.store.environ.get("JOBS_REDIS_URL", ""),
                shards=self.options.shards,
            ),
            role,
        )

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            self.keeper.tick()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5):
                    return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the fleet was not ready in {READY_SECONDS:.0f} s: {error}") from None
            time.sleep(0.3)


def main(argv: list[str]) -> int:
    """Entry point."""
    options = arguments(argv)
    say(f"seed {options.seed}")
    folder = Path(tempfile.mkdtemp(prefix="earshot-chaos-"))
    run = Run(options, folder)
    try:
        run.start()
        calm = run.calm()
        say(f"{len(calm)} recordings played calmly, {sum(map(len, calm.values()))} utterances; now the disasters")
        faults, page = run.chaos()
        report = run.judge(calm, faults, page)
    finally:
        run.close()
    print(json.dumps(report, indent=1))
    if report["violations"]:
        say(f"logs and data are kept in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def say(what: str) -> None:
    """Progress goes to stderr."""
    sys.stderr.write(f"chaos: {what}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
