"""A collector of traces sees a chunk's way through every process."""

from __future__ import annotations

import logging
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests

from state import logs, tracing
from state.settings import Settings
from tests.harness.collector import Collector, Span
from tests.harness.fleet import Fleet
from tests.harness.page import Page
from tests.harness.servers import Server
from tests.harness.web import web_process

AUDIO = bytes(range(200)) * 40
MU_LAW = {"Content-Type": "audio/PCMU"}
PROMISED_SECONDS = 10


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


def test_one_chunk_is_followed_from_the_sender_to_the_page(valkey: Server, store: redis.Redis, tmp_path: Path) -> None:
    trace = secrets.token_hex(16)
    traced = MU_LAW | {"traceparent": f"00-{trace}-{'a' * 16}-01"}
    with Collector() as collector:
        told = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        fleet = Fleet(valkey, tmp_path, EARSHOT_ENGINE="stub", DECODER_LOOPS="1", **told)
        try:
            with web_process(valkey.url, tmp_path / "web.out", **told) as web, Page(web.url) as page:
                fleet.start("decoder")
                fleet.start("sentiment")
                fleet.wait(lambda: page.snapshots and fleet.health.fleet().decoders)

                def speak(call_id: str, headers: dict[str, str]) -> None:
                    for seq in range(1, 7):
                        chunk = f"{web.url}/v1/calls/{call_id}/tracks/customer/chunks/{seq}"
                        assert requests.put(chunk, AUDIO, headers=headers, timeout=20).status_code == 202

                speak("followed", traced)
                fleet.wait(lambda: collector.of(trace, "score") and collector.of(trace, "tell pages"), 60)

                collector.hanging = True  # a collector that hangs holds up nobody
                asked = collector.asked
                speak("deaf", MU_LAW)
                for call_id in ("followed", "deaf"):
                    requests.post(f"{web.url}/v1/calls/{call_id}/end", timeout=20)
                fleet.wait_ended(["followed", "deaf"])
                fleet.wait(lambda: collector.asked >= asked + 3, why="each process has sent it something")
                began = time.monotonic()
                for process in fleet.processes:
                    process.terminate()
                assert web.terminate(PROMISED_SECONDS) == 0
                for process in fleet.processes:
                    assert process.wait(max(0.0, PROMISED_SECONDS + began - time.monotonic())) == 0
        finally:
            fleet.kill_all()

    spans = {span.id: span for span in collector.spans if span.trace == trace}
    [score, *_] = collector.of(trace, "score")
    way = [score, *parents(score, spans)]
    assert [(span.name, span.about["service.name"]) for span in way] == [
        ("score", "earshot-sentiment"),
        ("decode", "earshot-decoder"),
        ("take chunk", "earshot-web"),
        ("PUT /v1/calls/<call_id>/tracks/<track>/chunks/<seq>", "earshot-web"),
    ]
    assert way[-1].parent == "a" * 16, "the sender's own span"
    assert {span.about["earshot.call_id"] for span in way} == {"followed"}
    assert way[-1].about["earshot.status"] == 202
    told_by = {spans[span.parent].name for span in collector.of(trace, "tell pages")}
    assert told_by == {"decode", "score"}, "the page hears of words and of scores"


def parents(span: Span, spans: dict[str, Span]) -> list[Span]:
    above = spans.get(span.parent)
    return [above, *parents(above, spans)] if above else []


@pytest.fixture
def traced(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process traces what it does."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setattr(tracing, "_spans", None)
    monkeypatch.setattr(logs, "where", logs.where)
    tracing.start("test", Settings(otel_exporter_otlp_endpoint=collector.url))
    yield
    tracing.stop()


@pytest.mark.usefixtures("traced")
def test_a_log_line_names_the_trace_of_the_step_it_is_written_in() -> None:
    def line() -> str:
        return logs.Logfmt().format(logging.makeLogRecord({"msg": "something"}))

    assert "trace_id" not in line()
    with tracing.step("begin"):
        way = tracing.carried()["way"]
        assert f" trace_id={way.split('-')[1]}" in line()


@pytest.mark.usefixtures("traced")
def test_what_the_sampler_left_out_or_nobody_can_read_goes_no_further() -> None:
    with tracing.step("nothing came", [""]):
        assert tracing.carried() == {}
    with tracing.step("left out", [f"00-{'b' * 32}-{'a' * 16}-00"]):
        assert tracing.carried() == {}
    for odd in ("nonsense", "\N{REPLACEMENT CHARACTER}" * 600, f"00-{'0' * 32}-{'a' * 16}-01"):
        with tracing.step("odd", [odd]):
            assert tracing.carried()["way"].split("-")[1] not in ("0" * 32, "nonsense")


def test_without_a_collector_nothing_is_carried_and_no_tracer_loaded() -> None:
    program = (
        "import sys\n"
        "from state.settings import Settings\n"
        "from webapp.app import create_app\n"
        "import workers.sentiment.__main__, workers.decoder.parent\n"
        "from state import tracing\n"
        "create_app(Settings())\n"
        "with tracing.step('take chunk', call_id='a'):\n"
        "    assert tracing.carried() == {}\n"
        "sys.exit(any(name.startswith('opentelemetry.sdk.') and module\n"
        "             for name, module in sys.modules.items()))\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
