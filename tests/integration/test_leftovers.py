"""What the harness starts for a test ends with the test's process, even if that is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from scripts.machine.leash import leashed
from scripts.machine.programs import ROOT, family
from tests.harness.web import PATIENCE_SECONDS

TESTER = """
import sys, time
from pathlib import Path
from tests.harness.audiosocket import audiosocket_process
from tests.harness.fleet import Fleet
from tests.harness.postgres import Postgres
from tests.harness.servers import start_server
from tests.harness.web import web_process

folder = Path(sys.argv[1])
server, postgres = start_server("valkey9", dir=folder), Postgres()
fleet = Fleet(server, folder, EARSHOT_ENGINE="stub")
fleet.start("decoder", DECODER_LOOPS="1")
fleet.wait(lambda: fleet.health.fleet().decoders)
with web_process(server.url, folder / "web.log"), audiosocket_process({"REDIS_URL": server.url}, folder):
    print(postgres.folder, flush=True)
    time.sleep(600)
"""
"""Stands for pytest in the middle of a test. It prints the folder of its PostgreSQL."""


def test_servers_and_processes_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    command = leashed([sys.executable, "-c", TESTER, str(tmp_path)])
    tester = subprocess.Popen(command, env=environ, stdout=-1, text=True)
    try:
        assert tester.stdout is not None and tester.stdout.readline().startswith("/tmp/earshot-pg-")
        started = [psutil.Process(pid) for pid in family(tester.pid)[1:]]
        assert len(started) >= 7, "Valkey, PostgreSQL, a decoder and its loop, gunicorn and its worker, AudioSocket"
    finally:
        tester.kill()
        tester.wait()
    _, alive = psutil.wait_procs(started, PATIENCE_SECONDS)
    assert alive == []
