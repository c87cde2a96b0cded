"""The operators' page and Prometheus agree on what an alert is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from webapp.api.admin.alarms import ALARMS, holding
from webapp.page.runbook import entries
from webapp.schemas.operations import ApiOperations, ApiShard

ROOT = Path(__file__).resolve().parents[3]
RULES = {
    rule["alert"]: rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
QUIET = ApiOperations(
    at="2026-01-01T00:00:00Z", alerts=[], shards=[ApiShard(0, True, 10, 0, 0, 0)], processes=None, decoders=4, busy=0.8,
    engine="", calls_live=10, backlog_seconds=50, tokens_waiting=0, finals_waiting=500, dead=0, memory_ratio=0.6,
    jobs_workers=1, jobs_queued=0, jobs_failed=0, webhooks_waiting=1000, webhooks_failed=0, database="up",
    calls_unarchived=100,
)  # fmt: skip


def test_names_and_who_is_woken_are_those_of_the_rules() -> None:
    assert set(ALARMS) <= set(RULES)
    for name, alarm in ALARMS.items():
        assert alarm.wakes == (RULES[name]["labels"]["severity"] == "page"), name
    assert [entry.name for entry in entries()] == list(RULES), "each alert has its entry on the page"
    assert all(entry.means and entry.do and entry.dont and "*" not in "".join(entry) for entry in entries())


@pytest.mark.parametrize(
    ("name", "limit", "wrong"),
    [
        ("EarshotShardAway", None, {"shards": [ApiShard(3, False, 0, 0, 0, 0)]}),
        ("EarshotNoDecoder", None, {"decoders": 0}),
        ("EarshotBehind", "5", {"backlog_seconds": 51}),
        ("EarshotDecodersBusy", "0.8", {"busy": 0.81}),
        ("EarshotScoresLate", "500", {"finals_waiting": 501}),
        ("EarshotDeadChunks", "0", {"dead": 1}),
        ("EarshotMemory", "0.6", {"memory_ratio": 0.61}),
        ("EarshotNotArchived", "100", {"calls_unarchived": 101}),
        ("EarshotDatabaseAway", None, {"database": "away"}),
        ("EarshotWebhooksWait", "1000", {"webhooks_waiting": 1001}),
        ("EarshotJobsFail", "0", {"jobs_failed": 1}),
    ],
)
def test_an_alert_holds_beyond_the_limit_of_its_rule(name: str, limit: str | None, wrong: dict[str, Any]) -> None:
    assert holding(QUIET) == []
    assert [alert.name for alert in holding(replace(QUIET, **wrong))] == [name]
    assert limit is None or limit in re.findall(r"> ([\d.]+)", RULES[name]["expr"])


def test_what_nobody_knows_raises_nothing() -> None:
    assert (
        holding(replace(QUIET, busy=None, memory_ratio=None, jobs_failed=None, calls_live=0, backlog_seconds=30)) == []
    )
