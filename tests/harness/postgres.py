"""A real PostgreSQL for tests: its own cluster in a temporary folder, on a socket there, ended by process id.

The server refuses to run as root. So under root it runs as Debian's user postgres.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

START_SECONDS = 60

LEASH = ("setpriv", "--pdeathsig", "TERM") if sys.platform == "linux" else ()
"""Ends the server with the test process. scripts/machine/leash.py cannot: the user postgres may not run our Python."""

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/bin", "/opt/homebrew/bin")


class PostgresMissingError(LookupError):
    """No PostgreSQL is installed here. Tests then fail and do not skip: scripts/setup --dev installs Debian's."""


def _programs() -> Path:
    for place in _PLACES:
        for found in sorted(Path("/").glob(f"{place[1:]}/initdb"), reverse=True):
            return found.parent
    raise PostgresMissingError("no initdb; scripts/setup --dev installs PostgreSQL")


class Postgres:
    """A running cluster. `url` is its DATABASE_URL."""

    def __init__(self, connections: int = 100) -> None:
        """connections: at most so many clients, as on a small plan's server."""
        self._connections = connections
        self._programs = _programs()
        self._user = "postgres" if os.getuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="earshot-pg-", dir="/tmp"))  # a socket's path has 107 bytes at most
        if self._user:
            shutil.chown(self.folder, self._user)
        self._log = self.folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        made = self._popen(
            "initdb", "-D", "data", "-A", "trust", "-U", "earshot", "-N", "--locale=C.UTF-8", "-E", "UTF8"
        )
        assert made.wait(120) == 0, self._log.read_text()
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://earshot@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {
            "unix_socket_directories": self.folder,
            "listen_addresses": "",
            "shared_buffers": "64MB",
            "max_connections": self._connections,
            "fsync": "off",  # no test cuts the power, and a slow disk would hold up the others
        }
        self.process = self._popen("postgres", "-D", "data", *(f"--{name}={value}" for name, value in options.items()))
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert self.process.poll() is None and time.monotonic() < deadline, self._log.read_text()[-2000:]
                time.sleep(0.05)

    def stop(self) -> None:
        """End it at once, as an operator in a hurry does. SIGINT closes its clients' connections and is no crash."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
            self.process = None

    def remove(self) -> None:
        """End it and delete its files. So it need not tidy up first: SIGQUIT leaves that out."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_database(self, name: str) -> str:
        """The address of a new, empty database."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"postgresql://earshot@/{name}?host={self.folder}"

    def tool(self, program: str, *arguments: str | Path) -> None:
        """Run one of PostgreSQL's commands to its end, for example pg_dump."""
        subprocess.run([self._programs / program, *arguments], check=True, timeout=120, stdin=subprocess.DEVNULL)

    def drop_database(self, name: str) -> None:
        """Lose a database, even while clients are connected."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _popen(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [*LEASH, self._programs / program, *arguments]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command, cwd=self.folder, user=self._user, group=self._user,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
