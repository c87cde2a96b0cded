"""Messages arrive signed, whatever receivers do, and none reaches a host inside."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import redis

from state import keys
from state.archive.opening import Archive
from state.calls.handling import Handler
from state.calls.ingest import Ingest
from state.refusal import Unknown
from state.server.shards import shards_of
from state.settings import Settings, SettingsError, load
from state.webhooks import deliveries, endpoints
from state.webhooks.deliveries import LEASE_SECONDS, RETRY_SECONDS
from state.webhooks.endpoints import Endpoint, Form
from state.webhooks.happenings import EVENT_TYPES
from tests.harness.receiver import Receiver
from tests.harness.web import wait_until
from tests.integration.keeping.test_archive import ended, rows
from tests.integration.webhooks.test_follow import OF_HELP, follow
from workers.sentiment.assessor import Assessor
from workers.webhooks import couriers, post
from workers.webhooks.couriers import Couriers, clock_ms
from workers.webhooks.post import Poster

LOCAL = ["127.0.0.0/8"]


def receive(archive: Archive, store: redis.Redis, url: str, name: str = "r", form: Form = "standard") -> Endpoint:
    return endpoints.add(archive, url, list(EVENT_TYPES), form, name, shards_of(store)[0].now_ms(), "0-0+0")


def begin(archive: Archive, store: redis.Redis, *call_ids: str) -> None:
    """Calls begin, and their messages wait for delivery."""
    for call_id in call_ids or ("c",):
        Ingest(store, Settings()).create(call_id, ["t"], {"agent": "<Dana & co>"})
    store.delete(keys.turn("webhooks"))
    follow(archive, store)


def send(archive: Archive, allowed: list[str] = LOCAL) -> None:
    """Try all that is due, and wait until that is done."""
    at_work = Couriers(archive, lambda _: Poster(allowed, "https://earshot.example"), lambda: False)
    at_work.send(deliveries.due(archive, clock_ms()))
    for thread in at_work._busy.values():
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the couriers' clock forward."""
    by_ms = 0
    clock = clock_ms

    def forward(seconds: float) -> None:
        nonlocal by_ms
        by_ms += int(seconds * 1000)

    monkeypatch.setattr(couriers, "clock_ms", lambda: clock() + by_ms)
    monkeypatch.setattr(f"{__name__}.clock_ms", lambda: clock() + by_ms)
    return forward


def test_a_message_is_signed_and_says_what_it_is(
    store: redis.Redis, assessor: Assessor, archive: Archive, receiver: Receiver
) -> None:
    made = receive(archive, store, receiver.url)
    ended(store, assessor, agent="Dana")
    Handler(store, "sam").set_state("c", "taken")
    follow(archive, store)
    send(archive)
    got = receiver.got(made.secret)
    assert {body["type"] for _, body in got} == set(EVENT_TYPES) - OF_HELP
    assert [body for _, body in got] == [msgspec.json.decode(row.body) for row in rows(archive, "messages")]
    assert len({message_id for message_id, _ in got}) == len(got)
    assert all(headers["content-type"] == "application/json" for _, headers, _ in receiver.asked)
    assert {row.state for row in rows(archive, "deliveries")} == {"delivered"}
    send(archive)
    assert len(receiver.asked) == len(got), "once is enough"


def test_what_fails_is_tried_for_a_day_with_the_same_id(
    store: redis.Redis, archive: Archive, receiver: Receiver, later: Callable[[float], None]
) -> None:
    made = receive(archive, store, receiver.url)
    begin(archive, store)
    assert 23 * 3600 < sum(RETRY_SECONDS) < 25 * 3600
    receiver.statuses = [500, 404, 429, 301]
    for tried, seconds in enumerate(RETRY_SECONDS[:4], 1):
        send(archive)
        later(seconds * 0.85)
        send(archive)
        assert len(receiver.asked) == tried, "not yet"
        later(seconds * 0.3)
    send(archive)
    ids = [message_id for message_id, _ in receiver.got(made.secret)]
    assert len(ids) == 5 and len(set(ids)) == 1
    [row] = rows(archive, "deliveries")
    assert (row.state, row.tries, row.status) == ("delivered", 5, 204)

    receiver.statuses = [500] * 99
    begin(archive, store, "d")
    for seconds in (*RETRY_SECONDS, 1):
        send(archive)
        later(seconds * 1.2)
    send(archive)
    [row] = [row for row in rows(archive, "deliveries") if row.state != "delivered"]
    assert (row.state, row.tries, row.status) == ("failed", len(RETRY_SECONDS) + 1, 500)
    receiver.statuses = []
    before = len(receiver.asked)
    [line], _ = deliveries.log(archive, 9, state="failed")
    deliveries.redeliver(archive, "r", line.message_id, clock_ms())
    send(archive)
    assert len(receiver.asked) == before + 1 and receiver.got(made.secret)[-1][0] == line.message_id
    assert {row.state for row in rows(archive, "deliveries")} == {"delivered"}


def test_one_that_is_gone_is_switched_off(store: redis.Redis, archive: Archive, receiver: Receiver) -> None:
    receive(archive, store, receiver.url)
    begin(archive, store, "a", "b")
    receiver.statuses = [410]
    send(archive)
    assert len(receiver.asked) == 1
    [gone] = endpoints.every(archive)
    assert gone.gone_at_ms is not None and "410" in gone.gone_why
    assert {row.state for row in rows(archive, "deliveries")} == {"failed"}
    with pytest.raises(Unknown):
        deliveries.redeliver(archive, "r", rows(archive, "messages")[0].id, clock_ms())
    begin(archive, store, "c")
    assert len(rows(archive, "deliveries")) == 2
    assert endpoints.enable(archive, "r", "0-0+0")
    begin(archive, store, "d")
    send(archive)
    assert [msgspec.json.decode(body)["data"]["call_id"] for _, _, body in receiver.asked][-1] == "d"


def test_one_that_hangs_holds_up_nobody(
    store: redis.Redis, archive: Archive, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as slow:
        slow.hanging = True
        receive(archive, store, slow.url, "slow")
        made = receive(archive, store, receiver.url, "quick")
        begin(archive, store, "a", "b", "c")
        monkeypatch.setattr(post, "ANSWER_SECONDS", 60.0)
        at_work = Couriers(archive, lambda _: Poster(LOCAL, ""), lambda: False)
        at_work.send(deliveries.due(archive, clock_ms()))
        wait_until(lambda: slow.asked and len(receiver.asked) == 3, "the quick one has all")
        thread = at_work._busy["slow"]
        at_work.send(deliveries.due(archive, clock_ms()))
        assert at_work._busy["slow"] is thread and len(slow.asked) == 1, "one at a time"
        assert len(receiver.got(made.secret)) == 3
    wait_until(lambda: not at_work._busy["slow"].is_alive(), "it is given up when the receiver breaks off")
    monkeypatch.setattr(post, "ANSWER_SECONDS", 0.2)
    with Receiver() as slow:
        slow.hanging = True
        receive(archive, store, slow.url, "silent")
        begin(archive, store, "d")
        send(archive)
        assert "in time" in next(row.error for row in rows(archive, "deliveries") if row.endpoint == "silent")


def test_nobody_inside_is_reached(store: redis.Redis, archive: Archive, receiver: Receiver) -> None:
    with Receiver() as inside:
        urls = [inside.url, inside.url.replace("http:", "https:"), f"https://localhost:{inside.server_port}/",
                f"https://[::ffff:127.0.0.1]:{inside.server_port}/", f"https://2130706433:{inside.server_port}/",
                f"https://0:{inside.server_port}/", "https://169.254.169.254/latest/meta-data", "https://10.0.0.1/",
                "https://[fd00::1]/", "https://no-such-host.invalid/"]  # fmt: skip
        for n, url in enumerate(urls):
            receive(archive, store, url, f"r{n}")
        begin(archive, store)
        send(archive, allowed=[])
        assert inside.asked == []
        assert {row.state for row in rows(archive, "deliveries")} == {"waiting"}
        errors = [row.error for row in sorted(rows(archive, "deliveries"), key=lambda row: row.endpoint)]
        assert all("internal" in error or "WEBHOOK_ALLOW" in error for error in errors[:-1]), errors
        assert "cannot be reached" in errors[-1]
        for n in range(len(urls)):
            endpoints.remove(archive, f"r{n}")
        receive(archive, store, receiver.url, "redirects")
        receiver.statuses, receiver.location = [307], inside.url
        begin(archive, store, "d")
        send(archive)
        assert len(receiver.asked) == 1 and inside.asked == []
        assert "redirect" in rows(archive, "deliveries")[0].error


def test_a_name_is_resolved_once(
    store: redis.Redis, archive: Archive, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look-up of the name would lead inside, so there must be none."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **named: Any) -> Any:
        if host == "rebinding.example":
            asked.append(host)
            address = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]
        return real(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    receive(archive, store, receiver.url.replace("127.0.0.1", "rebinding.example"))
    begin(archive, store)
    send(archive)
    assert len(receiver.asked) == len(asked) == 1
    assert receiver.asked[0][1]["host"].startswith("rebinding.example")


def test_a_receiver_like_slack_gets_a_sentence(
    store: redis.Redis, assessor: Assessor, archive: Archive, receiver: Receiver
) -> None:
    made = receive(archive, store, receiver.url, form="slack")
    ended(store, assessor, agent="<Dana & co>")
    follow(archive, store)
    send(archive)
    told = [body["text"] for _, body in receiver.got(made.secret)]
    link = "<https://earshot.example/#/calls/c|call c> (agent &lt;Dana &amp; co&gt;)"
    assert f"Began: {link}" in told and f"Ended: {link}" in told
    assert any(one.startswith(f"Alert in {link}: ") for one in told)


def test_a_try_that_died_is_done_again_and_not_sooner(
    store: redis.Redis, archive: Archive, receiver: Receiver, later: Callable[[float], None]
) -> None:
    receive(archive, store, receiver.url)
    begin(archive, store)
    assert deliveries.claim(archive, "r", clock_ms()) is not None
    assert deliveries.claim(archive, "r", clock_ms()) is None
    send(archive)
    assert receiver.asked == []
    later(LEASE_SECONDS + 1)
    send(archive)
    assert len(receiver.asked) == 1


@pytest.mark.parametrize("allowed", ["x", "10.0.0.0/33", "10.0.0.1/8", "localhost"])
def test_an_allow_list_that_makes_no_sense_is_refused(allowed: str) -> None:
    with pytest.raises(SettingsError, match="WEBHOOK_ALLOW"):
        load({"WEBHOOK_ALLOW": allowed})
