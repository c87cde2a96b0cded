"""A process without free descriptors: its callers wait, and its log says so when it begins and when it is over."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from webapp import accepting
from webapp.accepting import CALM_SECONDS, RETRY_SECONDS, Entrance


@contextlib.contextmanager
def no_descriptors() -> Iterator[None]:
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def wait(self, seconds: float) -> None:
        self.now += seconds


def comes_in(entrance: Entrance, listener: socket.socket, crowded: bool) -> bool:
    """Whether a caller is accepted."""
    with socket.create_connection(listener.getsockname()):
        with no_descriptors() if crowded else contextlib.nullcontext():
            accepted = entrance.accept(listener)
        if accepted is not None:
            accepted[0].close()
        return accepted is not None


def test_the_log_says_once_that_callers_wait_and_once_that_it_is_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    monkeypatch.setattr(accepting, "time", SimpleNamespace(monotonic=lambda: clock.now))
    caplog.set_level("INFO", accepting.log.name)
    entrance = Entrance(clock.wait)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for crowded, count in ((True, 4), (False, 1), (True, 1)):  # one has left, and another has come in
            assert [comes_in(entrance, listener, crowded) for _ in range(count)] == [not crowded] * count
        assert [record.getMessage() for record in caplog.records] == ["connections wait to be accepted"]
        clock.wait(CALM_SECONDS)
        assert all(comes_in(entrance, listener, False) for _ in range(3))
    [_, end] = caplog.records
    assert end.getMessage() == "connections are accepted again"
    assert (vars(end)["tries"], vars(end)["seconds"]) == (5, 4 * RETRY_SECONDS)
