"""Where a database stands, in two tables of one row, `version_num`:

archive_step     the last step that was taken; alembic writes it
alembic_version  the newest step that a process must know to work here. Processes from the time of one table
                 look for their own last step here, so it stays at 0007 while they can work here
"""

from __future__ import annotations

from sqlalchemy import Connection, text

STEP, NEEDED = "archive_step", "alembic_version"
NONE = ""
"""Of an empty database; smaller than every step."""


def standing(connection: Connection) -> tuple[str, str]:
    """The last step, and the step that a process must know; NONE for an empty database."""
    needed = _read(connection, NEEDED)
    return _read(connection, STEP) or needed, needed


def seed(connection: Connection) -> None:
    """Give alembic the step of a database that has only the older table."""
    if step := standing(connection)[0]:
        _write(connection, STEP, step)


def write_needs(connection: Connection, needs: str) -> None:
    """Write down what processes must know from now on."""
    _write(connection, NEEDED, needs)


def _read(connection: Connection, table: str) -> str:
    if not connection.dialect.has_table(connection, table):
        return NONE
    return connection.execute(text(f"SELECT version_num FROM {table}")).scalar() or NONE


def _write(connection: Connection, table: str, step: str) -> None:
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS {table} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text(f"DELETE FROM {table}"))
    connection.execute(text(f"INSERT INTO {table} VALUES (:step)"), {"step": step})
