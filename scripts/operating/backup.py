"""scripts/backup: copies the store without its calls, and the SQLite database; puts them back.

save FOLDER              writes FOLDER/store (accounts, API keys, rules, queues, attention models, audit trail) and,
                         with SQLite, FOLDER/archive.db
restore-store FOLDER     puts the store back, into one without accounts, keys, rules and queues
restore-database FOLDER  puts the database back if its file is gone; stop web, jobs and webhooks first
archive-again            lets the jobs process write every ended call that Redis still has to the database again, after
                         pg_restore; restore-database does it by itself

Neither copy has live calls: Redis' append-only file and a replica keep those. Use pg_dump for PostgreSQL. Recordings
lie in their own folder or bucket (docs/OPERATING.md). The copy holds the key that signs cookies: keep it as you keep
passwords. The server is that of REDIS_URL, else the one of scripts/run.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
from sqlalchemy.engine import make_url

from scripts.operating.store import Operator, Refused, command_parser, run
from state import belongings
from state.belongings import Belongings, NotEmpty
from state.calls.departures import Departures
from state.settings import load


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = command_parser("backup", __doc__)
    parser.add_argument("what", choices=tuple(WORK))
    parser.add_argument("folder", type=Path, nargs="?")
    options = parser.parse_args(argv)
    if (options.folder is None) != (options.what == "archive-again"):
        parser.error(f"{options.what} takes {'no' if options.folder else 'a'} FOLDER")
    return options


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if it could not be done."""
    options = arguments(argv)
    work = WORK[options.what]
    return run("backup", options.data, lambda at: work(at, options.folder, _database(options.data)))


def save(at: Operator, folder: Path, database: Path | None) -> None:
    """Write the copies, readable by their owner only. Raises Refused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = belongings.read(at.shards.plain)
    _write(folder / "store", msgspec.msgpack.encode(found))
    print(f"{folder / 'store'}: {len(found.hashes)} of accounts, keys, rules, extensions, queues, models; "
          f"{sum(map(len, found.streams.values()))} entries of the audit trail")  # fmt: skip
    if database is not None and database.exists():
        copy = folder / "archive.db"
        copy.unlink(missing_ok=True)
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL, 0o600))
        _copy(database, copy)
        print(f"{copy}: {copy.stat().st_size} bytes")
    at.record("backup", str(folder))


def restore_store(at: Operator, folder: Path, _database: Path | None) -> None:
    """Put the store's copy back. Raises Refused; then nothing was changed."""
    try:
        found = msgspec.msgpack.decode((folder / "store").read_bytes(), type=Belongings)
        belongings.write(at.shards.plain, found)
    except msgspec.DecodeError as error:
        raise Refused(f"{folder / 'store'} is no copy of a store: {error}") from None
    except NotEmpty as error:
        raise Refused(str(error)) from None
    at.record("restore", f"the store, from {folder}")
    print("restored")


def restore_database(at: Operator, folder: Path, database: Path | None) -> None:
    """Put the database's copy back. Raises Refused; then nothing was changed."""
    copy = folder / "archive.db"
    if database is None:
        raise Refused("DATABASE_URL is not SQLite: use the database's own tools")
    if database.exists():
        raise Refused(f"{database} is there; move it away first")
    if not copy.exists():
        raise Refused(f"{copy} is not there")
    database.parent.mkdir(parents=True, exist_ok=True)
    _copy(copy, database)
    at.record("restore", f"the database, from {folder}")
    print("restored")
    archive_again(at)


def archive_again(at: Operator, *_: Path | None) -> None:
    """Write every ended call that Redis still has again. Redis has those since the copy for RETENTION_HOURS."""
    count = Departures(at.shards).again()
    at.record("restore", f"{count} calls are archived again")
    print(f"{count} calls will be archived again")


WORK: dict[str, Callable[..., None]] = {
    "save": save,
    "restore-store": restore_store,
    "restore-database": restore_database,
    "archive-again": archive_again,
}


def _database(data: Path) -> Path | None:
    """The SQLite file of DATABASE_URL, or of scripts/run without REDIS_URL; None for PostgreSQL or no database."""
    url = load().database_url
    if not url:
        return None if os.environ.get("REDIS_URL") else data.resolve() / "archive.db"
    address = make_url(url)
    return Path(address.database) if address.get_backend_name() == "sqlite" and address.database else None


def _copy(source: Path, target: Path) -> None:
    """Copy by SQLite's own means, which is whole even while others write. Raises Refused."""
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        raise Refused(f"{source} could not be copied: {error}") from None


def _write(path: Path, content: bytes) -> None:
    """Replace the file in one step, so that nobody finds half a copy."""
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
