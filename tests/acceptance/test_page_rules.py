"""The rules' editor and the agents' table, in a browser against the real web process."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from state.settings import Settings
from tests.acceptance.test_page_views import AXE
from tests.harness.browser import watched_page
from tests.harness.line import Line
from tests.harness.servers import Server
from tests.harness.web import Web, web_process
from workers.jobs.summary import write
from workers.sentiment.assessor import Assessor


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_process(valkey.url, tmp_path_factory.mktemp("web") / "web.log") as web:
        yield web


@pytest.fixture
def desk(browser: Browser, web: Web, store: redis.Redis) -> Iterator[Page]:
    """A page on a server with one ended call."""
    line = Line(store, Assessor(), ["agent", "customer"], "c1", agent="Ann <b>")
    line.say("agent", 0, "good morning how can i help you")
    line.say("customer", 1, "where is my parcel i want to cancel my account")
    line.score()
    line.end()
    assert write(store, "c1", Settings()) == "OK"
    with watched_page(browser, 1280, 800) as page:
        page.set_default_timeout(20_000)
        yield page


def complaints(page: Page) -> list[object]:
    page.evaluate(AXE.read_text())
    run = "async () => (await axe.run(document)).violations.map((v) => [v.id, v.nodes.length])"
    found: list[object] = page.evaluate(run)
    return found


def test_a_supervisor_edits_tries_and_saves_the_rules(desk: Page, web: Web) -> None:
    desk.goto(f"{web.url}/rules")
    field = desk.get_by_role("textbox", name="The rules, as YAML")
    expect(field).to_have_value(re.compile("cancellation"))
    expect(desk.get_by_text("Version 1.")).to_be_visible()
    expect(desk.get_by_role("button", name="Save")).to_be_disabled()

    text = field.input_value()
    field.fill(text.replace("severity: high", "severity: huge", 1))
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("alert")).to_contain_text("rules[0].severity")
    chosen = field.evaluate("(field) => field.value.slice(field.selectionStart, field.selectionEnd)")
    assert "severity: huge" in chosen, "the line at fault is marked"
    expect(field).to_be_focused()

    mine = "version: 1\nrules:\n- {id: parcel, title: Speaks of a parcel, severity: low, phrases: [parcel]}\n"
    field.fill(mine)
    desk.get_by_role("button", name="Try on stored calls").click()
    expect(desk.get_by_text("1 hits in 1 calls.")).to_be_visible()
    expect(desk.get_by_role("row", name="c1 0:01 low Speaks of a parcel parcel")).to_be_visible()
    assert complaints(desk) == []
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Saved: 1 rules apply")).to_be_visible()
    expect(desk.get_by_text("Version 2.")).to_be_visible()
    expect(field).to_have_value(mine.replace("version: 1", "version: 2"))


def test_rules_saved_by_somebody_else_are_not_overwritten(desk: Page, web: Web) -> None:
    desk.goto(f"{web.url}/rules")
    field = desk.get_by_role("textbox", name="The rules, as YAML")
    expect(field).to_be_enabled()
    other = "version: 1\nrules: []\n"
    answer = desk.request.put(f"{web.url}/v1/rules", data=other, headers={"Content-Type": "application/yaml"})
    assert answer.ok
    field.fill("version: 1\nrules: []\n# mine\n")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("alert")).to_contain_text("Somebody else saved")
    desk.get_by_role("button", name="Discard changes").click()
    expect(field).to_have_value(other.replace("1", "2"))


def test_the_agents_figures_are_sorted_explained_and_lead_to_the_agents_calls(desk: Page, web: Web) -> None:
    desk.goto(f"{web.url}/agents")
    expect(desk.get_by_role("row", name="Ann <b> 1")).to_be_visible()
    desk.get_by_role("button", name="Silence").click()
    expect(desk.get_by_role("columnheader", name="Silence")).to_have_attribute("aria-sort", "descending")
    expect(desk).to_have_url(re.compile(r"sort=-silence_seconds$"))
    desk.get_by_text("What the figures mean").click()
    expect(desk.get_by_text("time in which nobody talks, mean")).to_be_visible()
    for width in (1280, 390):
        desk.set_viewport_size({"width": width, "height": 844})
        assert complaints(desk) == []
        assert desk.locator("#agents").evaluate("e => e.getBoundingClientRect().right <= innerWidth")
    desk.get_by_role("link", name="Ann <b>").click()
    expect(desk).to_have_url(re.compile(r"/history\?agent=Ann\+%3Cb%3E$"))
