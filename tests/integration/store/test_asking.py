"""How processes ask a server: replies, errors, and connections that come and go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from state.server import asking
from state.server.asking import Pool, ask
from state.server.connection import connect
from state.server.entries import read_entries
from state.settings import Settings
from tests.harness.servers import Server
from tests.harness.web import wait_until


@pytest.fixture
def client(valkey: Server, store: redis.Redis) -> redis.Redis:
    """A worker's client, to an empty server."""
    return connect(Settings(redis_url=valkey.url), "worker")


def test_replies_come_in_order_as_the_server_gave_them(client: redis.Redis) -> None:
    assert ask(client) == []
    assert ask(client, ("SET", "a", 1), ("GET", "a"), ("HMGET", "b", "c", "d")) == [b"OK", b"1", [None, None]]


def test_an_error_is_raised_after_all_replies_are_read(client: redis.Redis) -> None:
    with pytest.raises(redis.ResponseError, match="not an integer"):
        ask(client, ("SET", "a", "text"), ("INCR", "a"), ("GET", "a"), ("EVALSHA", "0" * 40, 0))
    assert ask(client, ("GET", "a")) == [b"text"]
    with pytest.raises(redis.exceptions.NoScriptError):
        ask(client, ("EVALSHA", "0" * 40, 0))


def test_an_entry_that_was_deleted_while_it_was_pending_has_no_fields(client: redis.Redis) -> None:
    client.xgroup_create("s", "group", mkstream=True)
    gone, there = client.xadd("s", {"a": "1"}), client.xadd("s", {"b": "2", "c": "3"})
    read = ("XREADGROUP", "GROUP", "group", "worker", "STREAMS", "s")
    ask(client, (*read, ">"))
    client.xdel("s", gone)
    [[[_name, entries]]] = ask(client, (*read, "0"))
    assert read_entries(entries) == [(gone, {}), (there, {b"b": b"2", b"c": b"3"})]


def test_a_connection_that_the_server_closed_at_rest_is_replaced(
    client: redis.Redis, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "REST_SECONDS", 0.0)
    [before] = ask(client, ("CLIENT", "ID"))
    store.client_kill_filter(_id=str(before))
    [after] = ask(client, ("CLIENT", "ID"))  # a worker's client tries once
    assert after != before


def test_who_finds_no_connection_waits_for_the_next_that_comes_back(valkey: Server) -> None:
    pool = Pool.from_url(valkey.url, max_connections=1, timeout=30.0)
    only = pool.get_connection()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pool.get_connection)
        wait_until(lambda: pool._waiting, "it waits")
        pool.release(only)
        assert waiting.result() is only
    hurried = Pool.from_url(valkey.url, max_connections=1, timeout=0.01)
    hurried.get_connection()
    with pytest.raises(redis.ConnectionError, match="No connection"):
        hurried.get_connection()
