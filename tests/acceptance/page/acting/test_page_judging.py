"""Supervisors say whether alerts were right, in the row's menu and the opened call; an admin sees what was learned."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from state.attention_models import AttentionModels
from state.people.access import Access
from state.people.audit import Audit
from tests.harness.browser import complaints, sign_in, watched_page
from tests.harness.signing_in import PASSWORD
from tests.harness.web import Web
from workers.insight import models
from workers.insight.models import Gain, Lesson, Model


@pytest.fixture
def desk(browser: Browser, web: Web, calls: redis.Redis) -> Iterator[Page]:
    """Dana's page; she is an admin."""
    Access(calls).users.add("dana", "admin", PASSWORD)
    with watched_page(browser, 1440, 900) as page:
        page.goto(web.url)
        sign_in(page, "dana")
        expect(page.locator("tr[data-call-id=c1]")).to_be_visible()
        yield page


def test_an_alert_is_judged_in_the_row_and_in_the_opened_call(desk: Page, calls: redis.Redis) -> None:
    row = desk.locator("tr[data-call-id=c1]")
    row.hover()
    row.get_by_role("button", name="Were the alerts right?").click()
    menu = desk.locator("#judge")
    expect(menu).to_be_visible()
    expect(desk.locator("#call")).to_be_hidden()
    escalation = menu.get_by_role("group", name="Asks for a manager")
    escalation.get_by_role("button", name="Not needed").click()
    expect(escalation.get_by_role("button", name="Not needed")).to_have_attribute("aria-pressed", "true")
    escalation.get_by_label("Why it was not needed").select_option("misheard")
    expect(escalation).to_contain_text("you say")
    assert complaints(desk) == []
    desk.keyboard.press("Escape")
    expect(menu).to_be_hidden()

    row.locator("a").click()
    panel = desk.locator("#judging")
    opened = panel.get_by_role("group", name="Asks for a manager")
    expect(opened.get_by_label("Why it was not needed")).to_have_value("misheard")
    opened.get_by_role("button", name="Right").click()
    expect(opened.get_by_role("button", name="Right")).to_have_attribute("aria-pressed", "true")
    expect(opened.get_by_label("Why it was not needed")).to_be_hidden()
    expect(opened.get_by_role("button", name="Right")).to_be_focused()
    desk.locator("#judged-now").get_by_role("button", name="Right").click()
    expect(panel.get_by_role("group").first).to_contain_text("Right, you say")
    assert complaints(desk) == []

    desk.locator("tr[data-call-id=c3] a").focus()
    desk.keyboard.press("v")
    expect(menu.get_by_role("group")).to_have_count(1)
    menu.get_by_role("button", name="Right").click()
    expect(menu.get_by_role("group")).to_contain_text("Right, you say")
    told = [(e.deed.what, e.deed.about) for e in reversed(Audit(calls).read("acts", 10))]
    assert told == [
        ("judge escalation: not needed", "c1"),
        ("judge escalation: not needed, misheard", "c1"),
        ("judge escalation: right", "c1"),
        ("judge needs_attention: right", "c1"),
        ("judge needs_attention: right", "c3"),
    ]


@pytest.mark.parametrize("width", [390, 1440])
def test_an_admin_sees_what_was_learned_and_takes_it_back(
    desk: Page,
    web: Web,
    calls: redis.Redis,
    width: int,
) -> None:
    better = Gain(0.61, 0.52, 0.66, 0.74, "weights")
    lessons = [Lesson(None, 240, 80, better, Gain(0.6, 0.6, 0.71, 0.71, "")), Lesson("billing", 60, 20, better)]
    store = AttentionModels(calls)
    made = store.save(store.version(), "learned", models.encode(Model(models.base())), models.encode(lessons))
    store.note_look(made.made_at_ms, models.encode(lessons))
    desk.set_viewport_size({"width": width, "height": 800})
    desk.goto(f"{web.url}/admin/models")
    expect(desk.locator("#version")).to_have_text(f"Version {made.version} applies to calls that begin.")
    expect(desk.locator("#looked")).to_contain_text("240 judged calls, 80 of them right")
    expect(desk.locator("#versions tbody tr").first).to_contain_text("66 % → 74 %, weights taken")
    assert complaints(desk) == []
    desk.get_by_role("button", name="Use again: the shipped weights").click()
    expect(desk.locator("#version")).to_have_text(f"Version {made.version + 1} applies to calls that begin.")
    expect(desk.locator("#versions tbody tr").first).to_contain_text("taken back by dana")
