"""Opening the archive: SQLite (WAL) or PostgreSQL. The first process to connect brings it up to date."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, TimeoutError

from state.archive.away import ArchiveAway as ArchiveAway
from state.archive.migrations import HEAD, NEEDS
from state.archive.migrations.standing import seed, standing, write_needs
from state.settings import Settings

log = logging.getLogger("earshot.archive")

WAIT_SECONDS = 5
"""Seconds to wait for a connection, for a free one of the pool, and in SQLite for another writer."""

KEPT_CONNECTIONS = 5
"""Connections that a process keeps open once it needed them. It closes more after use."""

STATEMENT_SECONDS = 30
"""Longest statement in PostgreSQL: a search must not hold a web process's thread for ever."""

_MIGRATING = 4_817_263_355
"""Names the lock under which PostgreSQL is brought up to date; any number that nobody else uses."""


class Archive:
    """The database. Any thread may use it; after a fork, open another."""

    def __init__(self, url: str, connections: int = KEPT_CONNECTIONS) -> None:
        """url: sqlite:///PATH or postgresql://...; connections: at most. Nothing is connected yet."""
        self._engine = _engine(url, connections)
        self._ready = False
        self._lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in a transaction that changes nothing. Raises ArchiveAway."""
        with self._connected() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction: all of it happens, or nothing. Raises ArchiveAway."""
        with self._connected() as connection:
            connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    def prepare(self) -> None:
        """Bring the database up to date, if it is not. Raises ArchiveAway."""
        with self._connected():
            pass

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with _told(), self._engine.connect() as connection:
            if not self._ready:
                with self._lock:
                    _up_to_date(connection)
                    self._ready = True
            yield connection


def open_archive(settings: Settings) -> Archive | None:
    """The archive of DATABASE_URL; None if there is none."""
    return Archive(settings.database_url, settings.database_connections) if settings.database_url else None


def _engine(url: str, connections: int) -> Engine:
    kept = min(connections, KEPT_CONNECTIONS)
    pool: dict[str, int] = {"pool_timeout": WAIT_SECONDS, "pool_size": kept, "max_overflow": connections - kept}
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        if address.database:
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        made = create_engine(address, **pool, connect_args={"timeout": WAIT_SECONDS})
        event.listen(made, "connect", _set_up_sqlite)
        event.listen(made, "begin", _begin_sqlite)
        return made
    address = address.set(drivername="postgresql+psycopg")
    options = f"-c statement_timeout={STATEMENT_SECONDS * 1000} -c lock_timeout={WAIT_SECONDS * 1000}"
    connect = {"connect_timeout": WAIT_SECONDS, "options": options, "fallback_application_name": "earshot"}
    return create_engine(address, pool_pre_ping=True, **pool, connect_args=connect)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    """FULL: a call leaves Redis when it is committed here, so that must outlive a power loss."""
    connection.isolation_level = None  # transactions begin where we say, see _begin_sqlite
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """A writer says so at once: SQLite refuses a reader that becomes a writer beside another one."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _told() -> Iterator[None]:
    """Turn the database's own errors into ArchiveAway. Faults of ours stay as they are."""
    try:
        yield
    except (OperationalError, InterfaceError, InternalError, TimeoutError) as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip() or type(error).__name__
        raise ArchiveAway(reason.splitlines()[0]) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise ArchiveAway("the connection broke") from error
        raise


def _up_to_date(connection: Connection) -> None:
    with connection.begin():
        step, needs = standing(connection)
    if needs > HEAD:
        raise ArchiveAway(f"the database is of a newer Earshot (it needs step {needs}; this one knows {HEAD})")
    if step >= HEAD:
        return
    from alembic import command  # late: only the first process ever needs it
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    connection.execution_options(writes=True)
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATING})
        if standing(connection)[0] < HEAD:
            log.info("bringing the database up to date", extra={"step": HEAD})
            seed(connection)
            command.upgrade(config, "head")
            write_needs(connection, NEEDS)
