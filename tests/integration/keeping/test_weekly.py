"""The weekly report reaches a real SMTP server once, whatever fails or is killed on the way."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from scripts.machine.programs import free_port
from state.archive import sent
from state.archive.opening import Archive
from state.reporting import week_due
from state.settings import Settings
from workers.jobs import allowed
from workers.jobs.queue import Requests, job_queue
from workers.jobs.weekly import MAIL, send

WEEK = "2026-03-23"
NOW = round(datetime(2026, 3, 30, 7, tzinfo=UTC).timestamp() * 1000)


class Post:
    """Handles the mail server's mail: keeps it, or refuses it."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.answer = "250 taken"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        if self.answer.startswith("250"):
            self.envelopes.append(envelope)
            assert isinstance(envelope.content, bytes)
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return self.answer


@pytest.fixture(scope="module")
def smtp() -> Iterator[Controller]:
    controller = Controller(Post(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def post(smtp: Controller) -> Post:
    smtp.handler = Post()
    return smtp.handler


@pytest.fixture
def archive(reported: Archive) -> Archive:
    return reported


@pytest.fixture
def settings(smtp: Controller, database_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        report_mail_to="ann@example.org, bob@example.org",
        report_mail_from="earshot@example.org",
        smtp_url=f"smtp://127.0.0.1:{smtp.port}",
        report_zone="Europe/Berlin",
        public_url="https://calls.example.org",
    )


def test_the_report_is_mailed_once_with_its_figures(archive: Archive, settings: Settings, post: Post) -> None:
    assert send(archive, settings, WEEK, NOW) == "OK"
    assert send(archive, settings, WEEK, NOW + 1) == "DONE"
    [mail] = post.mails
    assert post.envelopes[0].rcpt_tos == ["ann@example.org", "bob@example.org"]
    assert mail["Subject"] == "Calls from 2026-03-23 to 2026-03-29: 14, 4 needed attention"
    assert mail["Message-ID"] == "<earshot-week-2026-03-23@example.org>"
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "2026-03-23 to 2026-03-29, Europe/Berlin" in text and "Calls" in text and "14 (0)" in text
    assert "  Tom: 3 calls, 2 needed attention, 1 of these taken, mood -0.53" in text
    assert "https://calls.example.org/reports?from=2026-03-23&to=2026-03-29&zone=Europe/Berlin" in text
    files = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    assert sorted(map(str, files)) == [f"earshot-{by}s-{WEEK}.csv" for by in ("agent", "day", "queue")]
    assert "2026-03-27,8," in files[f"earshot-days-{WEEK}.csv"] and "'=cmd()" in files[f"earshot-agents-{WEEK}.csv"]


def test_a_server_that_refuses_gets_it_later(archive: Archive, settings: Settings, post: Post) -> None:
    post.answer = "451 not now"
    with pytest.raises(OSError, match="not now"):
        send(archive, settings, WEEK, NOW)
    with pytest.raises(OSError):
        send(archive, replace(settings, smtp_url="smtp://127.0.0.1:1"), WEEK, NOW)
    post.answer = "250 taken"
    assert send(archive, settings, WEEK, NOW) == "OK" and len(post.mails) == 1


def test_one_sends_at_a_time_and_a_killed_one_is_followed_up(archive: Archive, settings: Settings, post: Post) -> None:
    assert sent.begin(archive, WEEK, MAIL, NOW)  # and the sender is killed
    assert send(archive, settings, WEEK, NOW + 1000) == "DONE"
    assert send(archive, settings, WEEK, NOW + sent.AGAIN_MS) == "OK"
    assert len(post.mails) == 1


def test_no_password_goes_over_a_line_without_tls(archive: Archive, settings: Settings, post: Post) -> None:
    open_line = settings.smtp_url.replace("//", "//ann:sesame@")
    with pytest.raises(OSError, match="no TLS"):
        send(archive, replace(settings, smtp_url=open_line), WEEK, NOW)
    assert post.mails == []


def test_it_is_asked_for_once_an_hour_and_only_a_monday_is_a_week(store: redis.Redis, settings: Settings) -> None:
    requests = Requests(store, settings)
    requests.request()
    assert requests.request() == 0
    [job] = [job for job in job_queue(store).jobs if allowed.read(job.data).task == "weekly-report"]
    asked = allowed.read(job.data)
    with pytest.raises(allowed.JobRefused):
        allowed.read(job.data.replace(asked.argument.encode(), b"2026-03-24"))
    with pytest.raises(allowed.JobRefused):
        allowed.read(job.data.replace(asked.argument.encode(), b"2026-99-99"))
    assert Requests(store, replace(settings, report_mail_to="")).request() == 0


@pytest.mark.parametrize(
    ("zone", "moment", "week"),
    [
        ("UTC", "2026-03-30T05:59", "2026-03-16"),
        ("UTC", "2026-03-30T06:00", "2026-03-23"),
        ("Europe/Berlin", "2026-03-30T04:00", "2026-03-23"),
        ("America/New_York", "2026-03-30T06:00", "2026-03-16"),
        ("UTC", "2026-04-05T23:59", "2026-03-23"),
    ],
)
def test_a_week_is_due_on_monday_morning_in_its_zone(zone: str, moment: str, week: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert week_due(ZoneInfo(zone), round(at.timestamp() * 1000)) == week
