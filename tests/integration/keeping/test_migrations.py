"""The database across releases: the first new process brings it up to date while old processes work on."""

from __future__ import annotations

from itertools import pairwise

import pytest
from alembic import command as alembic
from alembic.config import Config
from sqlalchemy import Connection, inspect, text

from state.archive.migrations import HEAD, NEEDS
from state.archive.opening import Archive, ArchiveAway
from tests.integration.keeping.test_archive import rows

STEPS = [f"{number:04d}" for number in range(1, int(HEAD) + 1)]


def migrate(archive: Archive, step: str) -> None:
    """Upgrade to this step, as a process does that knows no later one."""
    config = Config()
    config.set_main_option("script_location", "state/archive/migrations")
    with archive._engine.connect() as connection:
        connection.execution_options(writes=True)
        config.attributes["connection"] = connection
        with connection.begin():
            alembic.upgrade(config, step)


def test_the_first_process_brings_an_empty_database_up_to_date(archive: Archive, database_url: str) -> None:
    second = Archive(database_url)
    archive.prepare()
    second.prepare()
    assert rows(archive, "archive_step") == [(HEAD,)] and rows(archive, "alembic_version") == [(NEEDS,)]


def test_the_previous_schema_is_brought_up_to_date(archive: Archive) -> None:
    migrate(archive, "0001")
    with archive._engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO calls (call_id, started_at_ms, ended_at_ms, attention, handled, engine)"
                " VALUES ('old', 1, 2, 0.5, :no, 'e')"
            ),
            {"no": False},
        )
    archive.prepare()
    assert rows(archive, "archive_step") == [(HEAD,)] and rows(archive, "holds") == []
    assert [row.call_id for row in rows(archive, "calls")] == ["old"]


def test_a_database_from_before_there_were_two_tables_goes_on_where_it_stands(archive: Archive) -> None:
    migrate(archive, "0006")
    with archive._engine.begin() as connection:
        connection.execute(text("ALTER TABLE archive_step RENAME TO alembic_version"))
    archive.prepare()
    assert rows(archive, "archive_step") == [(HEAD,)] and rows(archive, "alembic_version") == [(NEEDS,)]


def test_who_knows_no_later_step_works_on_unless_it_is_needed(archive: Archive, database_url: str) -> None:
    archive.prepare()
    with archive._engine.begin() as connection:
        connection.execute(text("UPDATE archive_step SET version_num = '9998'"))
    Archive(database_url).prepare()
    assert rows(archive, "archive_step") == [("9998",)], "it leaves a newer database as it is"
    with archive._engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9998'"))
    with pytest.raises(ArchiveAway, match=f"newer Earshot .it needs step 9998; this one knows {HEAD}"):
        Archive(database_url).prepare()


def shape(connection: Connection) -> dict[str, dict[str, tuple[str, bool]]]:
    """Table -> column -> its type, and whether a row may leave it out. Constraints and unique indexes count, too."""
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    told = inspect(connection)
    for table in told.get_table_names():
        columns = {
            one["name"]: (str(one["type"]), bool(one["nullable"] or one["default"] is not None))
            for one in told.get_columns(table)
        }
        bars = [one["column_names"] for one in told.get_indexes(table) if one["unique"]]
        bars += [one["column_names"] for one in told.get_unique_constraints(table)]
        bars += [one["constrained_columns"] for one in told.get_foreign_keys(table)]
        bars += [[one["sqltext"]] for one in told.get_check_constraints(table)]
        found[table] = columns | {f"bar {bar}": ("", False) for bar in bars}
    return found


def taken(before: dict[str, dict[str, tuple[str, bool]]], after: dict[str, dict[str, tuple[str, bool]]]) -> list[str]:
    """What an older process would miss, and what it does not give but now must."""
    wrong = []
    for table, columns in before.items():
        for name, kind in columns.items():
            if after.get(table, {}).get(name) != kind:
                wrong.append(f"{table}.{name} was {kind} and is {after.get(table, {}).get(name)}")
        for name in after.get(table, {}).keys() - columns.keys():
            if not after[table][name][1]:
                wrong.append(f"{table}.{name} is new and must be given")
    return wrong


def test_steps_only_add_to_what_processes_of_before_use(archive: Archive) -> None:
    shapes = {}
    for step in STEPS:
        migrate(archive, step)
        with archive._engine.connect() as connection:
            shapes[step] = shape(connection)
    for before, after in pairwise(STEPS):
        assert taken(shapes[before], shapes[after]) == [], f"step {after} takes something away: raise NEEDS"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE calls DROP COLUMN outcome", "calls.outcome was"),
        ("DROP TABLE positions", "positions.name was"),
        ("CREATE UNIQUE INDEX one ON calls (agent, queue)", "is new and must be given"),
        ("ALTER TABLE calls RENAME COLUMN outcome TO result", "calls.outcome was"),
        ("CREATE TABLE more (name TEXT NOT NULL)", ""),
        ("ALTER TABLE calls ADD COLUMN more TEXT", ""),
    ],
)
def test_a_step_that_takes_is_found(archive: Archive, change: str, said: str) -> None:
    archive.prepare()
    with archive._engine.begin() as connection:
        before = shape(connection)
        connection.execute(text(change))
        found = taken(before, shape(connection))
    assert said in found[0] if said else found == []
