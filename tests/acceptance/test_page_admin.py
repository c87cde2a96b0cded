"""The admins' pages, in a browser against the real web process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.test_page_rules import complaints
from tests.harness.browser import watched_page
from tests.harness.servers import Server
from tests.harness.web import Web, web_process
from tests.integration.store.test_forged_jobs import call
from tests.integration.store.test_jobs_board import fail, update


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_process(valkey.url, tmp_path_factory.mktemp("web") / "web.log") as web:
        yield web


@pytest.fixture
def desk(browser: Browser, store: redis.Redis) -> Iterator[Page]:
    with watched_page(browser, 1440, 900) as page:
        page.set_default_timeout(20_000)
        yield page


def test_an_admin_has_a_failed_job_tried_again(desk: Page, web: Web, store: redis.Redis) -> None:
    desk.goto(f"{web.url}/admin/jobs")
    expect(desk.get_by_role("alert")).to_contain_text("No sentiment process lives")
    fail(store, "bad", call("summarise", "call-7"))
    fail(store, "<b>", call("os.system", "x"))
    fail(store, "odd", call("os.system", "<img src=x>"))
    update(store)
    row = desk.get_by_role("row", name="Write a call's summary call-7")
    expect(row).to_be_visible()
    expect(desk.get_by_role("row", name="None of Earshot's jobs")).to_have_count(1)
    expect(desk.get_by_role("button", name="Try again")).to_have_count(1)
    assert complaints(desk) == []
    row.get_by_role("button", name="Try again").click()
    expect(desk.get_by_role("status")).to_contain_text("Asked for again")
    update(store)
    expect(row).to_have_count(0)
    fits(desk)


def fits(desk: Page) -> None:
    """Nothing sticks out on a phone."""
    desk.set_viewport_size({"width": 390, "height": 844})
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
