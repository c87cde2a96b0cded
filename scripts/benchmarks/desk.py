"""What agents' own pages cost the web process: each asks for its agent's live call again and again.

Server and web process are real. The calls are made up, with some minutes of talk. The pages ask one after the other, so
that the processor time is the questions' own.
"""

from __future__ import annotations

import argparse
import http.client
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from scripts.benchmarks.live_calls import utterance
from scripts.machine.programs import cpu_seconds
from scripts.machine.server import EmbeddedServer
from state import keys
from state.calls.ingest import Ingest
from state.server.connection import connect
from state.settings import Settings
from state.types import Sentiment
from tests.harness.web import Web

UTTERANCES = 30
"""Utterances of each track: five minutes of talk."""

AGAIN_SECONDS = 2.0
"""Seconds between two requests of an agent's page (webapp/static/js/desk/desk.js)."""

NEWS_SECONDS = 5.0
"""Seconds between two changes of a call in which people talk, as on the demo calls: a final, then its score."""

_pack = msgspec.msgpack.encode


def bench_desk(options: argparse.Namespace) -> dict[str, Any]:
    """--agents pages, each with a live call, for --seconds."""
    dice = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "server")
        web = Web(server.url, Path(folder) / "web.log", {"AUTH": "off"})
        client = connect(Settings(redis_url=server.url), "web")
        ingest = Ingest(client, Settings())
        for n in range(options.agents):
            name = f"call-{n:04d}"
            ingest.create(name, ["customer", "agent"], {"agent": f"Agent-{n}", "queue": "billing"})
            said = [utterance(dice, index, track) for index in range(UTTERANCES) for track in ("customer", "agent")]
            client.hset(keys.utterances(name), mapping={one.id: _pack(one) for one in said})
            client.hset(keys.scores(name), mapping={one.id: _pack(Sentiment(0.1, 0.5, [])) for one in said})
        try:
            web.start()
            whole = _ask(options, web, server.pid, knows=False)
            unchanged = _ask(options, web, server.pid, knows=True)
        finally:
            web.kill()
            server.stop()
    news = AGAIN_SECONDS / NEWS_SECONDS
    each_ms = news * whole["web_cpu_ms"] + (1 - news) * unchanged["web_cpu_ms"]
    return {
        "agents": options.agents,
        "utterances_of_a_call": 2 * UTTERANCES,
        "whole_answer": whole,
        "nothing_new": unchanged,
        "questions_per_second": options.agents / AGAIN_SECONDS,
        "web_cpu_cores": round(each_ms / 1000 * options.agents / AGAIN_SECONDS, 3),
    }


def _ask(options: argparse.Namespace, web: Web, server_pid: int, knows: bool) -> dict[str, float]:
    """Means for an answer. knows: every page has seen the present state."""
    host, port = web.url.removeprefix("http://").split(":")
    link = http.client.HTTPConnection(host, int(port), timeout=30)
    tags = [""] * options.agents
    asked = taken = 0
    before = server_before = until = 0.0
    for n in range(10**9):
        if n == options.agents:  # the first round only warms up
            asked = taken = 0
            before, server_before = cpu_seconds(web.worker_pid), cpu_seconds(server_pid)
            until = time.monotonic() + options.seconds
        elif n > options.agents and time.monotonic() > until:
            break
        one = n % options.agents
        link.request("GET", f"/v1/desk?agent=Agent-{one}", headers={"If-None-Match": tags[one]} if tags[one] else {})
        answer = link.getresponse()
        taken += len(answer.read())
        assert answer.status == (304 if tags[one] else 200)
        if knows:
            tags[one] = answer.headers["ETag"]
        asked += 1
    spent, server_spent = cpu_seconds(web.worker_pid) - before, cpu_seconds(server_pid) - server_before
    return {
        "web_cpu_ms": round(1000 * spent / asked, 3),
        "server_cpu_ms": round(1000 * server_spent / asked, 3),
        "bytes": round(taken / asked),
    }
