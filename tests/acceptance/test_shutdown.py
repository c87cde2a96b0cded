"""SIGTERM under load: every process ends with status 0 in time, and nobody waits for a heartbeat to run out."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from scripts.simulator.recording import Track
from scripts.simulator.telephony import post_call
from state import keys
from tests.harness.cluster import Cluster
from tests.harness.fleet import Fleet
from tests.harness.page import Page
from tests.harness.places import PLACES, Place, store_in
from tests.harness.servers import start_server
from tests.harness.web import web_process
from workers.jobs.queue import ask, job_queue

PROMISED_SECONDS = 10
"""Seconds from SIGTERM to the end: the promise, not a measurement. It takes about one second."""

LONG_SECONDS = "60"
"""A heartbeat so long that the test fails if a track must wait for one to run out."""


@pytest.fixture(params=PLACES[:1])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """On one server, unless a test says otherwise. The place matters only to processes that hold calls as they stop."""
    with store_in(request.param, tmp_path) as place:
        yield place


@pytest.fixture
def fleet(place: Place, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(place, tmp_path, EARSHOT_ENGINE="stub", HEARTBEAT_SECONDS=LONG_SECONDS)
    yield fleet
    fleet.kill_all()


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_every_process_under_load_ends_in_time_and_its_work_goes_on_at_once(
    fleet: Fleet, place: Place, tmp_path: Path
) -> None:
    audio = [Track(name, bytes(range(250)) * 640, "mulaw", 8000) for name in ("agent", "customer")]
    calls = [f"call-{n}" for n in range(5)]
    failures: list[Exception] = []

    with web_process(place.url, tmp_path / "web.out", AUTH="off", **place.environ) as web:

        def play(call_id: str) -> None:
            try:
                post_call(web.url, "", call_id, audio, {}, 250, 2.5)
            except Exception as error:
                failures.append(error)

        def start() -> None:
            fleet.start("decoder", DECODER_LOOPS="2")
            fleet.start("sentiment")
            fleet.start("jobs")

        start()
        fleet.wait(lambda: fleet.health.fleet().decoders == 2)
        threads = [threading.Thread(target=play, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        fleet.wait(lambda: all(fleet.decoded(call, "customer", 4) for call in calls))

        for _ in range(2):  # a deploy: new processes beside the old ones, then the old ones go
            old = list(fleet.processes)
            fleet.processes.clear()
            start()
            fleet.wait(lambda: fleet.health.fleet().decoders == 4)
            for process in old:
                began = time.monotonic()
                process.terminate()
                assert process.wait(PROMISED_SECONDS) == 0, process.args
                assert time.monotonic() - began < PROMISED_SECONDS
            assert fleet.health.fleet().decoders == 2
            for call in calls:
                for track in ("agent", "customer"):
                    assert fleet.count(call, track, "tries") <= 1, "no try is charged"
        with Page(web.url) as page:
            fleet.wait(lambda: page.snapshots)
            assert web.terminate(PROMISED_SECONDS) == 0
            web.start()
            fleet.wait(lambda: page.disconnections and page._client.connected, 60, "the page connects again by itself")
        for thread in threads:
            thread.join()

    assert failures == []
    fleet.wait_ended(calls, 50)
    for call in calls[1:]:
        assert fleet.transcript(call) == fleet.transcript(calls[0])
    assert fleet.stop() == [0, 0, 0]
    fleet.assert_at_rest()


def test_every_process_ends_in_time_though_a_master_and_the_plain_server_do_not_answer(tmp_path: Path) -> None:
    plain = start_server("valkey9", dir=tmp_path / "server")
    with Cluster(tmp_path / "cluster", replicas=0) as cluster:
        place = Place({"REDIS_URL": cluster.url, "JOBS_REDIS_URL": plain.url})
        fleet = Fleet(place, tmp_path, EARSHOT_ENGINE="stub")
        try:
            with web_process(place.url, tmp_path / "web.out", **place.environ) as web, Page(web.url) as page:
                ends = {name: fleet.start(name) for name in ("decoder", "sentiment", "jobs")}
                fleet.wait(lambda: fleet.health.fleet().decoders and page.snapshots)
                fleet.wait(lambda: plain.client().smembers("rq:workers"), 60, "a jobs process")
                cluster.nodes[1].pause()
                os.kill(plain.pid, signal.SIGSTOP)
                for process in ends.values():
                    process.terminate()
                began = time.monotonic()
                assert web.terminate(PROMISED_SECONDS) == 0
                for name, process in ends.items():
                    assert process.wait(max(0.0, PROMISED_SECONDS + began - time.monotonic())) == 0, name
        finally:
            os.kill(plain.pid, signal.SIGCONT)
            fleet.kill_all()
            plain.kill()


def test_a_fleet_that_moved_to_other_machines_is_told_what_to_delete(fleet: Fleet, tmp_path: Path) -> None:
    fleet.redis.hset(keys.FLEET, "selfcheck:stub:1", "of machines that are gone")
    assert fleet.start("decoder", DECODER_LOOPS="1").wait(60) == 78
    fleet.processes.clear()
    said = "".join(log.read_text() for log in tmp_path.glob("decoder*.log")).splitlines()[-1]
    field, key = said.split(" delete ")[1].split(" from the hash ")
    assert fleet.redis.hdel(key, field) == 1
    fleet.start("decoder", DECODER_LOOPS="1")
    fleet.wait(lambda: fleet.health.fleet().decoders == 1)


def test_a_decode_loop_that_dies_while_all_stop_leaves_nobody_behind(fleet: Fleet) -> None:
    decoder = fleet.start("decoder", DECODER_LOOPS="2")
    fleet.wait(lambda: fleet.health.fleet().decoders == 2)
    decoder.send_signal(signal.SIGSTOP)  # so the parent learns of the death together with its own SIGTERM
    os.kill(fleet.loops(decoder)[0], signal.SIGKILL)
    decoder.terminate()
    decoder.send_signal(signal.SIGCONT)
    assert decoder.wait(PROMISED_SECONDS) == 0
    assert fleet.registered() == 0


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_that_does_not_end_when_asked_is_killed_in_time(
    fleet: Fleet, tmp_path: Path, stop: signal.Signals
) -> None:
    """Such a job outlives neither a worker that stops nor one that is killed."""
    begun = tmp_path / "begun"
    program = (
        "import os, pathlib, time\n"
        "from workers.jobs import __main__, perform\n"
        "from workers.process import start\n"
        "def swallow(*_):\n"
        f"    pathlib.Path({str(begun)!r}).write_text(f'{{os.getpid()}} ')\n"
        "    while True:\n"
        "        try:\n"
        "            time.sleep(600)\n"
        "        except BaseException:\n"
        "            pass\n"
        "perform.perform = swallow\n"
        "start('jobs', __main__.run)\n"
    )
    jobs = fleet.start("jobs", ["-c", program])
    ask(job_queue(fleet.redis), "summarise", "one")
    fleet.wait(lambda: begun.exists() and begun.read_text().endswith(" "))
    job = psutil.Process(int(begun.read_text()))
    jobs.send_signal(stop)
    assert jobs.wait(PROMISED_SECONDS) == (0 if stop == signal.SIGTERM else -signal.SIGKILL)
    _, alive = psutil.wait_procs([job], 5)
    for left in alive:
        left.kill()
    assert alive == []


def test_a_decode_loop_that_was_just_forked_is_not_forgotten(fleet: Fleet, tmp_path: Path) -> None:
    """A loop that was just forked still has its parent's handler of SIGTERM."""
    program = (
        "import pathlib, random, time\n"
        "from workers.decoder import parent\n"
        f"random.seed = lambda: (pathlib.Path({str(tmp_path / 'forked')!r}).touch(), time.sleep(2))\n"
        "raise SystemExit(parent.main())\n"
    )
    decoder = fleet.start("decoder", ["-c", program], DECODER_LOOPS="1")
    fleet.wait((tmp_path / "forked").exists)
    decoder.terminate()
    assert decoder.wait(PROMISED_SECONDS) == 0
