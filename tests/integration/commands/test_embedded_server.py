"""The embedded server asks for a password that nobody else on the machine can read."""

from __future__ import annotations

import stat
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import redis

from scripts.machine.server import EmbeddedServer, running_url


def test_the_embedded_server_asks_for_a_password_that_only_its_owner_can_read(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    try:
        password = urlsplit(server.url).password
        assert password is not None and len(password) >= 32
        with redis.Redis(port=server.port, protocol=2) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        with redis.Redis.from_url(server.url, protocol=2) as owner:
            owner.set("kept", 1)
        assert running_url(tmp_path) == server.url
        assert password not in " ".join(psutil.Process(server.pid).cmdline())
        holding = [
            path for path in tmp_path.rglob("*") if path.is_file() and password in path.read_text(errors="replace")
        ]
        assert holding and {stat.S_IMODE(path.stat().st_mode) for path in holding} == {0o600}
        server.kill()
        server.start()
        with redis.Redis.from_url(server.url, protocol=2) as owner:
            assert owner.get("kept") == b"1"
    finally:
        server.stop()
    assert running_url(tmp_path) is None
