"""The web process's threads where the system has no more of them."""

from __future__ import annotations

import logging
import threading
from types import SimpleNamespace

import pytest
from gunicorn.glogging import Logger

from webapp.worker import Log, Worker


def worker_with(threads: int) -> Worker:
    """A worker with so many threads at work."""
    worker: Worker = Worker.__new__(Worker)
    worker.cfg, worker.log = SimpleNamespace(threads=9), logging.getLogger("test")
    worker._lock, worker._threads, worker._waiting = threading.Lock(), threads, 0
    return worker


def no_room(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_threads_at_work_go_on_where_no_other_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", no_room)
    worker = worker_with(1)
    worker._hire()
    assert (worker._threads, worker._waiting) == (1, 0)


def test_a_process_without_any_thread_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", no_room)
    with pytest.raises(RuntimeError, match="can't start"):
        worker_with(0)._hire()


def test_gunicorn_makes_no_line_for_a_request() -> None:
    usual, ours = Logger.__new__(Logger), Log.__new__(Log)
    usual._access_log_enabled = ours._access_log_enabled = True  # gunicorn sets this from our logging configuration
    with pytest.raises(AttributeError):
        usual.access(None, None, None, None)  # it looks into the request
    ours.access(None, None, None, None)
