"""Reports on SQLite and PostgreSQL have the figures that we counted by hand."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
import redis
from flask.testing import FlaskClient

from state.archive import reports
from state.archive.opening import Archive
from state.archive.reports import Wanted
from state.archive.write import write
from state.moments import DAY_MS
from state.settings import Settings
from state.types import Help
from state.views import CallView
from tests.harness.calls.reported import BERLIN, NOON, call
from tests.harness.servers import Server
from webapp.app import create_app


@pytest.fixture
def archive(reported: Archive) -> Archive:
    return reported


@pytest.fixture
def http(valkey: Server, store: redis.Redis, archive: Archive, database_url: str) -> FlaskClient:
    return create_app(Settings(redis_url=valkey.url, auth="off", database_url=database_url)).test_client()


def test_days_are_those_of_the_zone_when_the_clocks_change_too(archive: Archive) -> None:
    wanted = Wanted(first=date(2026, 3, 25), last=date(2026, 3, 31), zone=BERLIN)
    days = reports.report(archive, wanted).days
    assert [(day.name, day.calls) for day in days] == [
        ("2026-03-25", 0),
        ("2026-03-26", 2),
        ("2026-03-27", 8),
        ("2026-03-28", 2),
        ("2026-03-29", 2),
        ("2026-03-30", 2),
        ("2026-03-31", 0),
    ]
    autumn = Wanted(first=date(2026, 10, 24), last=date(2026, 10, 26), zone=BERLIN)
    begins = reports.bounds(autumn)
    assert [end - begin for begin, end in pairwise(begins)] == [
        DAY_MS,
        90_000_000,
        DAY_MS,
    ]
    utc = Wanted(first=date(2026, 3, 26), last=date(2026, 3, 27), zone=ZoneInfo("UTC"))
    assert [day.calls for day in reports.report(archive, utc).days] == [2, 8], (
        "midnight in Berlin belongs to the day before in UTC"
    )


def test_the_figures_say_how_fast_calls_were_taken_and_whether_the_mood_recovered(archive: Archive) -> None:
    found = reports.report(archive, Wanted(first=NOON.date(), last=NOON.date(), zone=BERLIN))
    assert [(one.name, one.calls) for one in found.agents] == [("Tom", 3), ("", 2), ("Dana", 2), ("=cmd()", 1)]
    whole = found.whole
    assert (whole.calls, whole.seconds, whole.raised) == (8, 100.0, 4)
    assert (whole.taken, whole.prompt, whole.seconds_to_act) == (3, 1, round((20 + 70 + 390) / 3, 3))
    assert (whole.watched, whole.recovered) == (2, 1), "b recovered, c did not, and nobody can know about e"
    assert (whole.settled, whole.open) == (5, 2)
    assert (whole.talk_ratio, whole.interruptions, whole.words_per_minute) == (0.5, 2.0, 150.0)
    dana = found.agents[2]
    assert (dana.sentiment, dana.peak_attention) == (0.3, 0.45)
    only = reports.report(archive, Wanted(first=NOON.date(), last=NOON.date(), zone=BERLIN, queue="sales"))
    assert [(one.name, one.calls) for one in only.queues] == [("sales", 2)]


def test_the_figures_say_how_fast_agents_that_asked_for_help_were_answered_and_by_whom(
    archive: Archive, http: FlaskClient
) -> None:
    day = datetime(2026, 2, 3, 12, tzinfo=BERLIN)
    at_ms = round(day.timestamp() * 1000)
    for name, agent, asked in (
        ("h1", "Dana", [Help("dana", at_ms, "", at_ms + 10_000, "sam"), Help("dana", at_ms + 50_000, "")]),
        ("h2", "Dana", [Help("dana", at_ms, "", cancelled_at_ms=at_ms + 5_000)]),
        (
            "h3",
            "Tom",
            [Help("tom", at_ms, "", at_ms + 30_000, "=lee()"), Help("tom", at_ms + 1, "", at_ms + 8_001, "sam")],
        ),
        ("h4", "Tom", []),
    ):
        made = call(name, day, agent=agent, queue="help")
        handling = msgspec.structs.replace(made.handling, help=asked[-1] if asked else None, helps_before=asked[:-1])
        for _ in range(2):  # it counts once, however often it is written
            assert write(archive, msgspec.structs.replace(made, handling=handling), "test")
    wanted = Wanted(first=day.date(), last=day.date(), zone=BERLIN)
    found = reports.report(archive, wanted)

    def told(one: reports.Figures) -> tuple[int, int, int, int, float | None]:
        return one.calls, one.help_asked, one.help_answered, one.help_cancelled, one.seconds_to_help

    assert told(found.whole) == told(found.days[0]) == told(found.queues[0]) == (4, 5, 3, 1, 16.0)
    assert {one.name: told(one) for one in found.agents} == {"Dana": (2, 3, 1, 1, 10.0), "Tom": (2, 2, 2, 0, 19.0)}
    assert found.helpers == [reports.Helper("sam", 2, 9.0), reports.Helper("=lee()", 1, 30.0)]
    only = reports.report(archive, Wanted(first=day.date(), last=day.date(), zone=BERLIN, agent="Dana"))
    assert only.helpers == [reports.Helper("sam", 1, 10.0)]
    query = "from=2026-02-03&to=2026-02-03&zone=Europe/Berlin"
    assert http.get(f"/v1/reports?{query}").get_json()["helpers"][0] == {
        "name": "sam", "help_answered": 2, "seconds_to_help": 9.0
    }  # fmt: skip
    lines = http.get(f"/v1/reports.csv?{query}&by=helper").text.splitlines()
    assert lines == ["helper,help_answered,seconds_to_help", "sam,2,9.0", "'=lee(),1,30.0"]


def test_agents_and_queues_are_compared_in_the_same_periods(archive: Archive, http: FlaskClient) -> None:
    days = Wanted(first=date(2026, 3, 26), last=date(2026, 3, 28), zone=BERLIN)
    agents = {one.name: one.periods for one in reports.over_time(archive, days, "agent")}
    assert [period.name for period in agents["Dana"]] == ["2026-03-26", "2026-03-27", "2026-03-28"]
    assert [(one.calls, one.taken, one.seconds_to_act) for one in agents["Dana"]] == [
        (0, 0, None),
        (2, 1, 20.0),
        (0, 0, None),
    ]
    assert (agents["Dana"][1].mood_before, agents["Dana"][1].mood_after) == (-0.5, 0.2)
    assert [one.calls for one in agents[""]] == [2, 2, 2]
    weeks = Wanted(first=date(2026, 3, 1), last=date(2026, 3, 31), zone=BERLIN)
    queues = {one.name: one.periods for one in reports.over_time(archive, weeks, "queue")}
    assert [period.name for period in queues["sales"]] == [f"2026-03-{day:02}" for day in (1, 8, 15, 22, 29)]
    assert [one.calls for one in queues["sales"]] == [0, 0, 0, 2, 0]
    told = http.get("/v1/reports/over-time?from=2026-03-26&to=2026-03-28&zone=Europe/Berlin&by=queue").get_json()
    assert sorted(one["name"] for one in told["compared"]) == ["", "billing", "sales"]


def test_a_report_without_calls_has_every_day_and_no_figure(archive: Archive) -> None:
    found = reports.report(archive, Wanted(first=date(2020, 1, 1), last=date(2020, 12, 31), zone=BERLIN))
    assert len(found.days) == 366 and found.queues == found.agents == []
    assert (found.whole.calls, found.whole.sentiment, found.days[0].calls) == (0, None, 0)


def test_calls_of_an_older_edition_only_count(archive: Archive) -> None:
    bare = call("old", datetime(2026, 2, 1, 12, tzinfo=BERLIN))
    bare = CallView(**{name: getattr(bare, name) for name in CallView.__struct_fields__} | {"summary": {}})
    assert write(archive, bare, "test")
    found = reports.report(archive, Wanted(first=date(2026, 2, 1), last=date(2026, 2, 1), zone=BERLIN)).whole
    assert (found.calls, found.raised, found.talk_ratio, found.settled) == (1, 0, None, 0)


def test_the_api_tells_them_and_the_file_has_the_same(http: FlaskClient) -> None:
    asked = "from=2026-03-26&to=2026-03-27&zone=Europe/Berlin"
    told = http.get(f"/v1/reports?{asked}").get_json()
    assert (told["from_day"], told["to_day"], told["zone"]) == ("2026-03-26", "2026-03-27", "Europe/Berlin")
    assert [day["calls"] for day in told["days"]] == [2, 8] and told["whole"]["calls"] == 10
    answer = http.get(f"/v1/reports.csv?{asked}&by=agent")
    assert answer.headers["Content-Disposition"].endswith('"earshot-agents-2026-03-26-2026-03-27.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert [(row["agent"], row["calls"]) for row in rows] == [("", "4"), ("Tom", "3"), ("Dana", "2"), ("'=cmd()", "1")]
    assert rows[2]["sentiment"] == "0.3" and rows[2]["seconds_to_act"] == "20.0"


@pytest.mark.parametrize(
    "asked",
    [
        "zone=Nowhere",
        "zone=../../etc/passwd",
        "zone=Europe",
        "zone=",
        "from=yesterday",
        "from=2026-03-27&to=2026-03-26",
        "from=2024-01-01&to=2026-01-01",
        "to=0001-01-01",
        "to=9999-12-31",
        "agent=" + "x" * 513,
        "by=day",
        "limit=3",
    ],
)
def test_what_is_no_report_is_refused(valkey: Server, store: redis.Redis, asked: str) -> None:
    http = create_app(Settings(redis_url=valkey.url, auth="off", database_url="sqlite:///never-opened")).test_client()
    answer = http.get(f"/v1/reports?{asked}")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


def test_without_a_database_there_are_none(valkey: Server, store: redis.Redis) -> None:
    answer = create_app(Settings(redis_url=valkey.url, auth="off")).test_client().get("/v1/reports")
    assert (answer.status_code, answer.get_json()["reason"]) == (409, "no_archive")
