"""The rules' editor and the agents' table, in a browser against the real web process."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from state.settings import Settings
from tests.harness.browser import complaints, watched_page
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
        yield page


def test_a_supervisor_edits_tries_and_saves_the_rules(desk: Page, web: Web) -> None:
    desk.goto(f"{web.url}/rules")
    desk.get_by_text("Advanced: the rules as YAML").click()
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
    expect(desk.get_by_text("1 hit, calls looked at: 1.")).to_be_visible()
    expect(desk.get_by_role("row", name="c1 0:01 low Speaks of a parcel parcel")).to_be_visible()
    assert complaints(desk) == []
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("within a second or two. Rules: 1.")).to_be_visible()
    expect(desk.get_by_text("Version 2.")).to_be_visible()
    expect(field).to_have_value(mine.replace("version: 1", "version: 2"))


@pytest.mark.parametrize("width", [390, 1280])
def test_a_rule_is_made_in_the_form_tried_on_words_and_saved(desk: Page, web: Web, width: int) -> None:
    desk.set_viewport_size({"width": width, "height": 844})
    desk.goto(f"{web.url}/rules")
    rules = desk.get_by_role("list", name="Rules")
    expect(rules.get_by_role("button").first).to_have_text("Wants to cancel · high")
    desk.get_by_role("button", name="New rule").click()
    expect(desk.get_by_label("What it tells")).to_be_focused()
    desk.get_by_label("What it tells").fill("Speaks of a parcel")
    desk.get_by_label("Phrases to listen for").fill("parcel\n(where|when) is my post")
    desk.get_by_label("Only in the queue").fill("post")
    desk.get_by_label("Tells the webhook").fill("nobody-made-it")
    desk.get_by_role("button", name="Put into the rules").click()
    expect(rules.get_by_role("button").last).to_have_text("Speaks of a parcel · medium · only post")

    desk.get_by_label("What is said").fill("hello my parcel is late")
    expect(desk.locator("#words")).to_contain_text("No rule applies.")
    desk.get_by_label("In the queue", exact=True).fill("post")
    expect(desk.get_by_role("row", name="medium Speaks of a parcel parcel")).to_be_visible()
    assert complaints(desk) == []

    desk.get_by_label("Phrases to listen for").fill("(parcel")
    desk.get_by_role("button", name="Put into the rules").click()
    expect(desk.get_by_role("alert")).to_contain_text("phrases[0]")
    desk.get_by_label("Phrases to listen for").fill("parcel")
    desk.get_by_label("Or wording like these").fill("my package is lost\nthe parcel never came\nmy delivery is missing")
    desk.get_by_label("What is said").fill("well the package never came")
    desk.get_by_role("button", name="Put into the rules").click()
    expect(desk.get_by_role("row", name="medium Speaks of a parcel")).to_be_visible()
    expect(desk.locator("#text")).to_have_value(re.compile("the parcel never came"))
    desk.get_by_label("Phrases, one a line; empty").fill("sorry")
    desk.get_by_role("button", name="Put into the rules").click()
    expect(desk.locator("#text")).to_have_value(re.compile("- sorry"))
    expect(desk.locator("#fault")).to_have_text("")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("alert")).to_contain_text("there is no webhook named nobody-made-it")
    desk.get_by_label("Tells the webhook").fill("")
    desk.get_by_role("button", name="Put into the rules").click()
    expect(desk.locator("#text")).not_to_have_value(re.compile("nobody-made-it"))
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("It applies to all live calls")).to_be_visible()
    text = desk.request.get(f"{web.url}/v1/rules").text()
    assert "title: Speaks of a parcel" in text and "queue: post" in text and "- sorry" in text
    rules.get_by_role("button", name="Speaks of a parcel").click()
    desk.get_by_role("button", name="Remove this rule").click()
    expect(rules.get_by_role("button", name="Speaks of a parcel")).to_have_count(0)


def test_rules_saved_by_somebody_else_are_not_overwritten(desk: Page, web: Web) -> None:
    desk.goto(f"{web.url}/rules")
    desk.get_by_text("Advanced: the rules as YAML").click()
    field = desk.get_by_role("textbox", name="The rules, as YAML")
    expect(field).to_be_enabled()
    other = "version: 1\nrules: []\n"
    answer = desk.request.put(f"{web.url}/v1/rules", data=other, headers={"Content-Type": "application/yaml"})
    assert answer.ok
    field.fill("version: 1\nrules: []\n# mine\n")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("alert")).to_contain_text("Somebody else has saved")
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
