"""Which weekly reports were sent, so that each is sent once."""

from __future__ import annotations

from sqlalchemy import and_, delete, insert, select, update

from state.archive.opening import Archive
from state.archive.tables import sent_reports

AGAIN_MS = 600_000
"""Age at which a report that was begun and not sent is begun again. Its sender was killed: a job has 180 s."""


def begin(archive: Archive, week: str, way: str, now_ms: int) -> bool:
    """Whether the caller is to send the report of this week now. Raises ArchiveAway."""
    one = and_(sent_reports.c.week == week, sent_reports.c.way == way)
    with archive.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE sent_reports IN EXCLUSIVE MODE")
        found = connection.execute(select(sent_reports.c.begun_at_ms, sent_reports.c.sent_at_ms).where(one)).first()
        if found is None:
            connection.execute(insert(sent_reports).values(week=week, way=way, begun_at_ms=now_ms))
            return True
        if found.sent_at_ms is not None or found.begun_at_ms > now_ms - AGAIN_MS:
            return False
        connection.execute(update(sent_reports).where(one).values(begun_at_ms=now_ms))
        return True


def done(archive: Archive, week: str, way: str, now_ms: int) -> None:
    """It is sent. Raises ArchiveAway."""
    one = and_(sent_reports.c.week == week, sent_reports.c.way == way)
    with archive.writing() as connection:
        connection.execute(update(sent_reports).where(one).values(sent_at_ms=now_ms))


def failed(archive: Archive, week: str, way: str) -> None:
    """It could not be sent: the next caller may try. Raises ArchiveAway."""
    one = and_(sent_reports.c.week == week, sent_reports.c.way == way, sent_reports.c.sent_at_ms.is_(None))
    with archive.writing() as connection:
        connection.execute(delete(sent_reports).where(one))
