"""The weekly report by mail: last week's figures beside those of the week before, and all of them as CSV files."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from state.archive import sent
from state.archive.opening import Archive
from state.archive.reports import Figures, Report, Wanted, report
from state.archive.reports_csv import By, lines
from state.reporting import MailServer, addresses, mail_server
from state.settings import Settings

log = logging.getLogger("earshot.jobs")

MAIL = "mail"
TIMEOUT_SECONDS = 30
MOST_NAMES = 10
"""Most queues, and most agents, in the mail's text; the files have all."""

FILES: tuple[By, ...] = ("day", "queue", "agent")


def send(archive: Archive, settings: Settings, week: str, now_ms: int) -> str:
    """The job: mail the report of the week that begins with this Monday, once.

    Returns OK; OFF (nobody wants it); or DONE (it was sent, or somebody is at it). Raises OSError if the server does
    not take it, and ArchiveAway; then a later job tries again. After a kill between sending and noting, it goes out
    twice, with one Message-ID, by which mail programs know it.
    """
    if not settings.report_mail_to:
        return "OFF"
    if not sent.begin(archive, week, MAIL, now_ms):
        return "DONE"
    try:
        _hand_over(mail_server(settings.smtp_url), message(archive, settings, date.fromisoformat(week)))
    except Exception:
        sent.failed(archive, week, MAIL)
        raise
    sent.done(archive, week, MAIL, now_ms)
    log.info("the weekly report is sent", extra={"week": week})
    return "OK"


def message(archive: Archive, settings: Settings, monday: date) -> EmailMessage:
    """The mail. Raises ArchiveAway."""
    zone = ZoneInfo(settings.report_zone)
    found = report(archive, _week(monday, zone))
    before = report(archive, _week(monday - timedelta(days=7), zone)).whole
    sunday = monday + timedelta(days=6)
    mail = EmailMessage()
    mail["From"] = settings.report_mail_from
    mail["To"] = ", ".join(addresses(settings.report_mail_to))
    mail["Date"] = datetime.now(UTC)
    mail["Message-ID"] = f"<earshot-week-{monday}@{settings.report_mail_from.rpartition('@')[2].rstrip('>')}>"
    mail["Auto-Submitted"] = "auto-generated"
    whole = found.whole
    mail["Subject"] = f"Calls from {monday} to {sunday}: {whole.calls}, {whole.raised} needed attention"
    address = f"{settings.public_url}/reports?from={monday}&to={sunday}&zone={zone.key}" if settings.public_url else ""
    mail.set_content(words(found, before, f"{monday} to {sunday}, {zone.key}", address))
    for by in FILES:
        mail.add_attachment(lines(found, by), subtype="csv", filename=f"earshot-{by}s-{monday}.csv")
    return mail


def words(found: Report, before: Figures, span: str, address: str) -> str:
    """The mail's text."""
    rows = [(name, show(found.whole), show(before)) for name, show in _TOLD]
    width = max(len(name) for name, _, _ in rows)
    text = [f"Calls that ended: {span}. In brackets: the week before.", ""]
    text += [f"{name:<{width}}  {now} ({then})" for name, now, then in rows]
    for title, groups in (("queue", found.queues), ("agent", found.agents)):
        text += ["", f"By {title}, the most calls first:"]
        text += [f"  {one.name or 'not named'}: {_line(one)}" for one in groups[:MOST_NAMES]] or ["  none"]
    return "\n".join([*text, "", *([address, ""] if address else []), "All figures are in the files.", ""])


def _week(monday: date, zone: ZoneInfo) -> Wanted:
    return Wanted(first=monday, last=monday + timedelta(days=6), zone=zone)


def _line(one: Figures) -> str:
    return (
        f"{one.calls} calls, {one.raised} needed attention, {one.taken} of these taken, mood {_signed(one.sentiment)}"
    )


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} s"


_TOLD: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("Calls", lambda one: str(one.calls)),
    ("Mean length", lambda one: _seconds(one.seconds)),
    ("Needed attention", lambda one: str(one.raised)),
    ("Taken of these", lambda one: str(one.taken)),
    ("Taken within a minute", lambda one: str(one.prompt)),
    ("Mean time to take", lambda one: _seconds(one.seconds_to_act)),
    ("Mood recovered", lambda one: f"{one.recovered} of {one.watched}"),
    ("Mood at the end", lambda one: _signed(one.sentiment)),
    ("Settled", lambda one: str(one.settled)),
    ("Open", lambda one: str(one.open)),
)


def _hand_over(server: MailServer, mail: EmailMessage) -> None:
    context = ssl.create_default_context()
    if server.tls:
        client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    with client:
        if not server.tls:
            client.ehlo()
            if client.has_extn("starttls"):
                client.starttls(context=context)
            elif server.user:
                raise OSError("the mail server offers no TLS: no password is sent to it")
        if server.user:
            client.login(server.user, server.password)
        client.send_message(mail)
