"""The history page, in a browser against the real web process with an archive."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Browser, expect

from state.archive.opening import Archive
from state.archive.write import write
from state.calls.ingest import Ingest
from state.settings import Settings
from tests.harness.browser import complaints, watched_page
from tests.harness.calls.archived import ARCHIVED, archived
from tests.harness.servers import Server
from tests.harness.web import Web, web_process


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    url = f"sqlite:///{folder / 'archive.db'}"
    archive = Archive(url)
    for call in [
        *ARCHIVED,
        *(archived(n, f"call number {n}" if n > 5 else "my on budsman will hear of it") for n in range(5, 65)),
    ]:
        write(archive, call, "test")
    archive.close()
    with web_process(valkey.url, folder / "web.log", DATABASE_URL=url) as web:
        yield web


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_a_supervisor_finds_and_opens_an_old_call(
    browser: Browser, web: Web, store: redis.Redis, width: int, height: int
) -> None:
    Ingest(store, Settings()).create("live", ["customer"], {"agent": "Dana", "caller": "now <b>"})
    with watched_page(browser, width, height) as page:
        page.goto(f"{web.url}/history")
        expect(page.get_by_text("50 calls, and more")).to_be_visible()
        expect(page.locator("#calls tbody tr").first).to_contain_text("now <b>")
        page.get_by_role("button", name="More calls").click()
        expect(page.get_by_text("66 calls")).to_be_visible()
        assert complaints(page) == []

        page.get_by_label("Words said").fill("parcel lost")
        page.get_by_role("button", name="Find").click()
        expect(page.get_by_text(re.compile("^1 call$"))).to_be_visible()
        expect(page.locator("#calls tbody")).to_contain_text("0:10 customer: my parcel is lost")
        expect(page.locator("#calls tbody mark")).to_have_text(["parcel", "lost"])
        assert "text=parcel+lost" in page.url
        page.locator("#calls tbody td").last.click()
        expect(page.get_by_role("heading", name="+15550")).to_be_visible()
        hit = page.get_by_role("region", name="Transcript").get_by_role("listitem").filter(has_text="my parcel is lost")
        expect(hit).to_be_focused()
        assert complaints(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator("#judged-now").get_by_role("button", name="Right").click()
        page.get_by_role("dialog").get_by_role("textbox").fill("Dana")
        page.keyboard.press("Enter")
        expect(page.locator("#judging").get_by_role("group").first).to_contain_text("Right, you say")
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="+15550")).to_be_focused()

        page.get_by_label("Words said").fill("ombudsman")
        page.get_by_role("button", name="Find").click()
        expect(page.get_by_text("1 call, by sound")).to_be_visible()
        expect(page.locator("#calls tbody")).to_contain_text("customer: my on budsman will hear of it")
        page.go_back()
        page.go_back()
        page.go_back()
        page.get_by_role("button", name="Clear").click()
        expect(page.get_by_text("50 calls, and more")).to_be_visible()
        if width < 600:
            expect(page.get_by_label("Agent", exact=True)).to_be_hidden()
            page.get_by_role("button", name="More fields").click()
        page.get_by_label("Agent", exact=True).fill("nobody")
        page.get_by_label("Agent", exact=True).press("Enter")
        expect(page.get_by_text("No call matches.")).to_be_visible()
