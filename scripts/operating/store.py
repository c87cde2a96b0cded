"""What operators' commands share: the place of the store, and the person at work."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from scripts.machine.server import EmbeddedServer, ServerNotStarted, running_url
from state.archive.away import ArchiveAway
from state.people.access import Access
from state.people.administration import Administration
from state.people.audit import Audit, Deed
from state.refusal import Refusal
from state.server.opening import open_shards
from state.server.shards import Shards, shards_of
from state.server.unreachable import told
from state.settings import SettingsError, load

if TYPE_CHECKING:
    from state.archive.opening import Archive

DATA = Path(__file__).resolve().parents[2] / "data"


class Refused(RuntimeError):
    """The command cannot do what it was asked. One line."""


class Operator:
    """The store, access and the audit trail, for somebody at the server's terminal."""

    def __init__(self, store: Shards | redis.Redis, url: str = "", api_keys: str = "") -> None:
        self.shards = shards_of(store)
        self.url = url
        self.access = Access(self.shards.plain, api_keys)
        self.audit = Audit(self.shards)
        self.administration = Administration(self.access, self.record)

    def record(self, what: str, about: str) -> None:
        try:
            who = getpass.getuser()
        except (KeyError, OSError):  # a container's user often has no name
            who = str(os.getuid())
        self.audit.record(Deed(f"command {who}", what, about, origin="command"))


def command_parser(name: str, about: str | None) -> argparse.ArgumentParser:
    """The parser of scripts/`name`, with --data. about: its module's docstring."""
    parser = argparse.ArgumentParser(
        prog=f"scripts/{name}", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder of scripts/run's embedded server, if REDIS_URL is not set"
    )
    return parser


@contextmanager
def operator(data: Path) -> Iterator[Operator]:
    """An Operator at the store of REDIS_URL, else at the embedded server of scripts/run, started if it does not run.

    Raises Refused where there is none, SettingsError, ServerNotStarted.
    """
    settings = load()
    if os.environ.get("REDIS_URL") or os.environ.get("REDIS_TLS_URL"):
        yield Operator(open_shards(settings, "command"), settings.redis_url, settings.api_keys)
        return
    folder = data.resolve() / "server"
    if not folder.is_dir():
        raise Refused(f"no REDIS_URL, and scripts/run has left no data in {data}")
    running = running_url(folder)
    server = None if running else EmbeddedServer(folder)
    url = server.url if server else running or ""
    try:
        yield Operator(open_shards(replace(settings, redis_url=url), "command"), url, settings.api_keys)
    finally:
        if server:
            server.stop()


def archive_at(data: Path) -> Archive | None:
    """The database of DATABASE_URL, or of scripts/run without REDIS_URL; else None."""
    from state.archive.opening import open_archive  # late: it takes a fifth of a second, and few commands need it

    settings = load()
    if not settings.database_url and not os.environ.get("REDIS_URL"):
        settings = replace(settings, database_url=f"sqlite:///{data.resolve() / 'archive.db'}")
    return open_archive(settings)


def run(name: str, data: Path, work: Callable[[Operator], None]) -> int:
    """Do `work`. Returns 0, or 1 with one line on stderr."""
    url = ""
    try:
        with operator(data) as at:
            url = at.url
            work(at)
    except (Refused, Refusal, ArchiveAway, SettingsError, ServerNotStarted, OSError) as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 1
    except redis.RedisError as error:
        sys.stderr.write(f"{name}: {told(url, error)}\n")
        return 1
    return 0


def moment(at_ms: int | None) -> str:
    """A time for a list; "-" for never."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}Z" if at_ms else "-"


def table(rows: list[tuple[str, ...]]) -> None:
    """Print rows (the first is the head) in columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def printable(text: str) -> str:
    """Text from outside, without characters that a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)
