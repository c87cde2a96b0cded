"""The admins' pages, in a browser against the real web process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from state.archive.opening import Archive
from state.calls.ingest import Chunk, Ingest
from state.settings import Settings
from state.webhooks import deliveries
from state.webhooks.deliveries import Outcome
from tests.harness.browser import complaints, watched_page
from tests.harness.servers import Server
from tests.harness.web import Web, web_process
from tests.integration.jobs.test_forged_jobs import call
from tests.integration.jobs.test_jobs_board import fail, update
from tests.integration.webhooks.test_follow import follow

LOOK_MS = 5_000
"""Milliseconds after which these pages look again."""


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    with web_process(valkey.url, folder / "web.log", DATABASE_URL=f"sqlite:///{folder / 'archive.db'}") as web:
        yield web


@pytest.fixture
def desk(browser: Browser, store: redis.Redis) -> Iterator[Page]:
    with watched_page(browser, 1440, 900) as page:
        page.clock.install()
        yield page


def looks(desk: Page) -> None:
    """Let the page look again now."""
    desk.clock.run_for(LOOK_MS)


def test_an_admin_has_a_failed_job_tried_again(desk: Page, web: Web, store: redis.Redis) -> None:
    desk.goto(f"{web.url}/admin/jobs")
    expect(desk.get_by_role("alert")).to_contain_text("No sentiment process runs")
    fail(store, "bad", call("summarise", "call-7"))
    fail(store, "<b>", call("os.system", "x"))
    fail(store, "odd", call("os.system", "<img src=x>"))
    update(store)
    looks(desk)
    row = desk.get_by_role("row", name="Write a call's summary call-7")
    expect(row).to_be_visible()
    expect(desk.get_by_role("row", name="None of Earshot's jobs")).to_have_count(1)
    expect(desk.get_by_role("button", name="Try again")).to_have_count(1)
    assert complaints(desk) == []
    row.get_by_role("button", name="Try again").click()
    expect(desk.get_by_role("status")).to_contain_text("will be tried again")
    update(store)
    looks(desk)
    expect(row).to_have_count(0)
    fits(desk)


def test_an_admin_makes_a_webhook_and_looks_after_it(desk: Page, web: Web, store: redis.Redis) -> None:
    archive = Archive(web.environ["DATABASE_URL"])
    desk.goto(f"{web.url}/admin/webhooks")
    expect(desk.get_by_text("Nobody yet.")).to_be_visible()
    desk.get_by_label("Address").fill("https://hooks.example.com/T0/B0")
    desk.get_by_role("textbox", name="Name").fill("desk")
    desk.get_by_label("call.started").check()
    desk.get_by_role("button", name="Add").click()
    secret = desk.get_by_text("The secret that signs")
    expect(secret).to_contain_text("whsec_")
    expect(secret).to_be_focused()
    row = desk.get_by_role("row", name="desk https://hooks.example.com/T0/B0 call.started 0 0 on")
    expect(row).to_be_visible()
    desk.get_by_role("button", name="Add").click()
    assert desk.locator("[name=url]:invalid").count() == 1, "an address is needed"

    Ingest(store, Settings()).create("call-7", ["t"], {})
    follow(archive, store)
    claimed = deliveries.claim(archive, "desk", 10**14)
    assert claimed is not None
    deliveries.settle(archive, claimed, Outcome(False, 410, "the receiver answered 410", gone=True), 1)
    looks(desk)
    expect(desk.locator("#deliveries tbody tr")).to_contain_text("the receiver answered 410")
    expect(row).to_have_count(0)
    assert complaints(desk) == []
    desk.get_by_role("button", name="Switch on desk").click()
    expect(desk.get_by_role("status")).to_contain_text("desk is on")
    desk.get_by_role("button", name="Deliver again: call.started of call-7 to desk").click()
    expect(desk.locator("#deliveries tbody tr")).to_contain_text("waiting")
    fits(desk)
    desk.get_by_role("button", name="Remove desk").click()
    desk.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(desk.get_by_text("Nobody yet.")).to_be_visible()


def test_an_admin_sees_what_is_wrong_and_what_to_do(desk: Page, web: Web, store: redis.Redis) -> None:
    desk.goto(f"{web.url}/admin/operations")
    expect(desk.get_by_text("None. Only Prometheus watches")).to_be_visible()
    for n in range(1, 6):
        Ingest(store, Settings()).put(f"call-{n}", "customer", 1, Chunk(bytes(8000), "mulaw", 8000))
    looks(desk)
    wrong = desk.get_by_role("link", name="EarshotNoDecoder")
    expect(wrong).to_be_visible()
    expect(desk.get_by_role("row", name="0 up 5 0.5 s 5 0")).to_be_visible()
    update(store)
    looks(desk)
    expect(desk.get_by_role("row", name="web")).to_be_visible()
    assert complaints(desk) == []
    wrong.click()
    expect(desk.get_by_text("Earshot keeps audio up to the backlog limit.")).to_be_visible()
    fits(desk)


def fits(desk: Page) -> None:
    """Check that nothing sticks out on a phone."""
    desk.set_viewport_size({"width": 390, "height": 844})
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
