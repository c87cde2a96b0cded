"""What each process counts about itself, fetched as Prometheus does."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from scripts.machine.programs import free_port, start_python
from state import metrics
from state.calls.ingest import Chunk
from state.settings import Settings
from tests.harness.fleet import Fleet
from tests.harness.servers import Server
from webapp.app import create_app

ROOT = Path(__file__).resolve().parents[2]
SECOND = Chunk(bytes(range(200)) * 40, "mulaw", 8000)


def scraped(port: int) -> dict[str, float]:
    """Samples by name and labels, as written in the answer."""
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20).read().decode()
    return {name: float(value) for name, value in re.findall(r"^([^#\s]\S*) (\S+)$", text, re.MULTILINE)}


@pytest.fixture
def fleet(valkey: Server, store: object, tmp_path: Path) -> Fleet:
    return Fleet(valkey, tmp_path, EARSHOT_ENGINE="stub")


def test_a_program_does_not_count_into_the_folder_of_the_one_that_started_it(tmp_path: Path) -> None:
    assert os.environ[metrics.FOLDER], "this process counts too"
    log = tmp_path / "log"
    asks = f"import os; print(os.environ.get({metrics.FOLDER!r}))"
    assert start_python(["-c", asks], log, {}).wait(30) == 0
    assert log.read_text() == "None\n"


def test_each_process_tells_what_it_counts(fleet: Fleet) -> None:
    ports = {}
    for what in ("decoder", "sentiment", "jobs"):
        ports[what] = free_port()
        fleet.start(what, METRICS_PORT=str(ports[what]), DECODER_LOOPS="2")
    try:
        fleet.wait(lambda: all(map(answers, ports.values())))
        fleet.feed("counted", {"customer": [SECOND] * 6, "agent": [SECOND] * 6})
        fleet.wait_ended(["counted"])
        fleet.wait(lambda: scraped(ports["jobs"]).get('earshot_job_seconds_count{end="done",task="summarise"}'))
        failed = 'earshot_job_seconds_count{end="failed",task="archive"}'
        assert scraped(ports["jobs"])[failed] == 0, "counters begin at 0: Prometheus sees no rise from nothing"
        decoder, sentiment = scraped(ports["decoder"]), scraped(ports["sentiment"])
        assert decoder["earshot_decoded_audio_seconds_total"] == 12, "both loops together"
        assert decoder["earshot_commit_delay_seconds_count"] > 0 and decoder["earshot_decode_busy_seconds_total"] > 0
        assert decoder["earshot_speech_delay_seconds_count"] == len(fleet.transcript("counted"))
        assert sentiment["earshot_score_delay_seconds_count"] == len(fleet.transcript("counted"))
        assert fleet.stop() == [0, 0, 0]
    finally:
        fleet.kill_all()
    for port in ports.values():
        fleet.wait(lambda port=port: not answers(port), 20, "a process's figures end with it")


def answers(port: int) -> bool:
    try:
        scraped(port)
    except OSError:
        return False
    return True


def test_a_port_that_is_taken_ends_the_process_with_one_line(fleet: Fleet, valkey: Server, tmp_path: Path) -> None:
    process = fleet.start("sentiment", METRICS_PORT=valkey.url.rpartition(":")[2].partition("/")[0])
    try:
        assert process.wait(60) == 1
    finally:
        fleet.kill_all()
    said = (tmp_path / "sentiment-0.log").read_text().splitlines()
    assert said[-1].startswith("earshot sentiment: METRICS_PORT: 127.0.0.1:") and said[-1].endswith("in use")


def published(valkey: Server, folder: Path) -> set[str]:
    """Every name that one of our samples can have."""
    settings = Settings(redis_url=valkey.url, database_url=f"sqlite:///{folder / 'archive.db'}", auth="off")
    families = text_string_to_metric_families(create_app(settings).test_client().get("/metrics").text)
    return {sample.name for family in families for sample in family.samples} | {
        f"{family.name}{ending}"
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
        for family in metric.describe()
        for ending in {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",)}.get(family.type, ("",))
    }


def test_a_database_that_is_away_is_a_figure(valkey: Server, store: object, tmp_path: Path) -> None:
    def figures(url: str) -> str:
        return (
            create_app(Settings(redis_url=valkey.url, database_url=url, auth="off")).test_client().get("/metrics").text
        )

    here = figures(f"sqlite:///{tmp_path / 'archive.db'}")
    assert "\nearshot_database_up 1.0\n" in here and 'earshot_webhook_deliveries{state="waiting"} 0.0' in here
    away = figures("postgresql://nobody@127.0.0.1:1/none")
    assert "\nearshot_database_up 0.0\n" in away and "earshot_redis_up 1.0" in away
    assert "earshot_database_up" not in figures("")


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_alerts_and_dashboard_ask_for_figures_that_exist_in_expressions_that_parse(
    valkey: Server, store: object, tmp_path: Path
) -> None:
    dashboard = json.loads((ROOT / "deploy/grafana/earshot.json").read_text())
    asked = [rule["expr"] for rule in alerts()]
    asked += [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    scaled = yaml.safe_load((ROOT / "deploy/keda/decoder.yaml").read_text())
    asked += [trigger["metadata"]["query"] for trigger in scaled["spec"]["triggers"]]
    assert len(asked) > 20
    names = published(valkey, tmp_path)
    for expression in asked:
        promql_parser.parse(expression.replace("$__rate_interval", "1m"))
        assert (used := set(re.findall(r"earshot_\w+", expression))) and used <= names, expression


def test_each_alert_has_its_entry_in_the_runbook_and_each_figure_its_line(
    valkey: Server, store: object, tmp_path: Path
) -> None:
    runbook = (ROOT / "docs/OPERATING.md").read_text()
    assert re.findall(r"^### (\w+)$", runbook, re.MULTILINE) == [rule["alert"] for rule in alerts()]
    for entry in runbook.split("\n### ")[1:]:
        assert "**Do**" in entry and "**Don't**" in entry, entry
    for name in published(valkey, tmp_path):
        assert re.sub(r"_(bucket|count|sum)$", "", name) in runbook, name
