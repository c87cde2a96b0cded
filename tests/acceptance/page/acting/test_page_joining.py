"""A supervisor joins a call through the telephone switch."""

from __future__ import annotations

import threading
from pathlib import Path

import redis
from playwright.sync_api import Browser, expect

from state.calls.ingest import Ingest
from state.people.access import Access
from state.people.audit import Audit
from state.settings import Settings
from tests.harness.acting import row
from tests.harness.browser import sign_in, watched_page
from tests.harness.calls.switch import Switch
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD
from tests.harness.wall import cell
from tests.harness.web import web_process


def test_a_supervisor_joins_from_the_row_and_the_opened_call_where_the_switch_knows_its_channel(
    browser: Browser, valkey: Server, calls: redis.Redis, tmp_path: Path
) -> None:
    Ingest(calls, Settings()).create("c4", ["agent", "customer"], {"agent": "Eve", "switch_channel": "17.3"})
    with (
        Switch() as switch,
        web_process(valkey.url, tmp_path / "web.log", AUTH="on", ARI_URL=f"{switch.url}/ari") as web,
        watched_page(browser, 1440, 900) as page,
    ):
        threading.Thread(target=switch.serve_forever, daemon=True).start()
        Access(calls).users.add("dana", "supervisor", PASSWORD)
        page.goto(web.url)
        sign_in(page, "dana")
        row(page, "c1")
        page.keyboard.press("c")
        menu, button = page.locator("#phone"), 'tr[data-call-id="{}"] [data-part=phone]'
        expect(menu).to_be_hidden()
        page.locator('tr[data-call-id="c1"]').hover()
        expect(page.locator(button.format("c1"))).to_be_hidden()
        page.locator('tr[data-call-id="c4"]').hover()
        page.locator(button.format("c4")).click()
        expect(menu).to_contain_text("Eve")
        expect(page.locator("#call")).to_be_hidden()
        page.keyboard.press("Escape")
        row(page, "c4")
        page.keyboard.press("c")
        expect(menu).to_be_visible()
        menu.get_by_role("button", name="Hang up").press("Enter")
        sure = page.get_by_role("dialog", name="Hang up Eve?")
        expect(sure).to_have_accessible_description("Everybody on this call is cut off at once.")
        expect(sure.get_by_role("button", name="Cancel")).to_be_focused()
        page.keyboard.press("t")
        page.keyboard.press("Escape")
        expect(sure).to_be_hidden()
        expect(menu.get_by_role("button", name="Hang up")).to_be_focused()
        assert switch.asked == []
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(sure.get_by_role("button", name="Hang up")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#said")).to_contain_text("hung up")
        assert switch.asked[-1]["method"] == "DELETE"

        cell(page, "c1", "agent").click()
        expect(page.get_by_role("button", name="Worst moment")).to_be_visible()
        expect(page.locator("#switch")).to_be_hidden()
        cell(page, "c4", "agent").click()
        page.locator("#switch summary").click()
        opened = page.locator("#switch")
        opened.get_by_role("button", name="Whisper to the agent").click()
        expect(page.locator("#said")).to_contain_text("at which extension")
        page.locator("#switch summary").click()
        opened.get_by_label("Your extension").fill("201")
        opened.get_by_role("button", name="Save").click()
        expect(page.locator("#said")).to_contain_text("calls you at 201")
        opened.get_by_role("button", name="Whisper to the agent").click()
        expect(page.locator("#said")).to_contain_text("Only the agent will hear you")
        assert switch.asked[-1]["query"]["extension"] == "whisper"
        assert switch.asked[-1]["query"]["endpoint"] == "PJSIP/201"
        switch.shutdown()
    deeds = [(entry.deed.who, entry.deed.what, entry.deed.about) for entry in Audit(calls).read("acts", 9)]
    assert deeds[0] == ("dana", "whisper", "c4") and deeds[-1] == ("dana", "hangup", "c4")
