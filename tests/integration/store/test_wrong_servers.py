"""If REDIS_URL leads to no good server, every command soon says in one line what is wrong and where to look."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest
import requests

from scripts.machine.programs import free_port
from scripts.machine.server import EmbeddedServer
from tests.harness.servers import Server, find_binary, start_server
from tests.harness.web import wait_until, web_process

ROOT = Path(__file__).resolve().parents[3]
KEYS, DEAD = ("keys", "list"), ("dead", "list")
MODULES = {"keys": "scripts.operating.api_keys", "dead": "scripts.operating.dead", "run": "scripts.demo.run"}
RUN = ("run", "--no-demo", "--port", "PORT", "--data", "DATA")


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses, by what is wrong with each."""
    web = HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    locked = EmbeddedServer(tmp_path_factory.mktemp("locked"))
    plain = start_server("valkey9", dir=tmp_path_factory.mktemp("plain"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield {
            "nobody": "redis://127.0.0.1:1/0",
            "no name": "redis://nobody.invalid/0",
            "another program": f"redis://127.0.0.1:{web.server_port}/0",
            "silence": f"redis://127.0.0.1:{silent.getsockname()[1]}/0",
            "no password": f"redis://127.0.0.1:{locked.port}/0",
            "a wrong password": f"redis://:hunter2@127.0.0.1:{locked.port}/0",
            "no TLS": plain.url.replace("redis://", "rediss://"),
            "no such database": plain.url.replace("/0", "/99"),
        }
    web.shutdown()
    locked.stop()
    plain.kill()


SAID = {
    "nobody": "does not answer: Error 111 connecting",
    "no name": "does not answer: Error -",
    "another program": "is no Redis; look at REDIS_URL",
    "silence": "does not answer: Timeout",
    "no password": "refuses the name and password of REDIS_URL",
    "a wrong password": "refuses the name and password of REDIS_URL",
    "no TLS": "does not answer over TLS, which rediss:// asks for",
    "no such database": "refuses: DB index is out of range",
}


CASES = [(KEYS, wrong) for wrong in SAID] + [(RUN, "nobody"), (RUN, "a wrong password"), (DEAD, "nobody")]


@pytest.mark.parametrize(("command", "wrong"), CASES, ids=lambda part: part if isinstance(part, str) else part[0])
def test_a_command_says_in_one_line_what_is_wrong(
    wrong: str, command: tuple[str, ...], urls: dict[str, str], tmp_path: Path
) -> None:
    places = {"PORT": str(free_port()), "DATA": str(tmp_path / "data")}
    arguments = [places.get(argument, argument) for argument in command[1:]]
    ended = subprocess.run(
        [sys.executable, "-m", MODULES[command[0]], *arguments],
        cwd=ROOT, env=os.environ | {"REDIS_URL": urls[wrong], "EARSHOT_ENGINE": "stub"},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 1 and ended.stdout == ""
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"{command[0]}: ") and SAID[wrong] in line
    assert "hunter2" not in line


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Server]:
    """A server that survives a limit on the size of its files. Such a limit stands for a full disk."""
    binary = find_binary("valkey9")
    deaf = tmp_path / "deaf"
    deaf.write_text(f"#!/bin/sh\ntrap '' XFSZ\nexec {binary} \"$@\"\n")
    deaf.chmod(0o755)
    server = Server(deaf, free_port(), tmp_path, ["--appendonly", "yes"])
    server.start()
    yield server
    server.kill()


def test_a_full_disk_is_told_without_filling_the_log_and_gets_over_with(full: Server, tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with web_process(full.url, log) as web:
        subprocess.run(["prlimit", f"--pid={full.pid}", "--fsize=65536:unlimited"], check=True)
        url = f"{web.url}/v1/calls/a/tracks/customer/chunks"
        headers = {"Content-Type": "audio/PCMU"}
        statuses = [requests.post(url, data=bytes(8000), headers=headers, timeout=10).status_code for _ in range(40)]
        assert statuses[0] == 202 and statuses[-1] == 503 and set(statuses) == {202, 503}
        reasons = requests.get(f"{web.url}/readyz", timeout=10).json()["reasons"]
        assert any("its disk full" in reason for reason in reasons), reasons
        assert "Traceback" not in log.read_text()
        subprocess.run(["prlimit", f"--pid={full.pid}", "--fsize=unlimited:unlimited"], check=True)
        wait_until(lambda: requests.post(url, data=bytes(8000), headers=headers, timeout=10).ok, "it takes audio again")
