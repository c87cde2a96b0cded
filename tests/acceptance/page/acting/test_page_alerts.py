"""Alerts come to a supervisor: the bell, the card beside the row, and agents who ask for help."""

from __future__ import annotations

import re

import redis
from playwright.sync_api import Browser, Page, expect

from state import keys
from state.calls.ingest import Ingest
from state.people.access import Access
from state.people.audit import Audit
from state.settings import Settings
from state.types import Point
from tests.harness.acting import bell, row, trouble
from tests.harness.browser import watched_page
from tests.harness.wall import cell, order, wait_until
from tests.harness.web import Web
from tests.integration.api.test_find import say


def test_the_bell_lists_what_is_unresolved_and_tells_by_sound_and_notification_if_asked_to(
    desks: tuple[Page, Page], calls: redis.Redis
) -> None:
    dana, _ = desks
    dana.context.grant_permissions(["notifications"])
    dana.add_init_script(
        """window.told = [];
        window.Notification = class { constructor(title, more) { window.told.push([title, more.body]); }
            static permission = "default";
            static async requestPermission() { return (this.permission = "granted"); } };
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (...at) { told.push("tone"); return start.apply(this, at); };"""
    )
    dana.reload()
    expect(bell(dana)).to_have_text("2")
    trouble(calls, "c3")
    expect(bell(dana)).to_have_text("3")

    dana.keyboard.press("b")
    items = dana.locator("[data-bell=list] li")
    expect(items).to_have_count(3)
    expect(items.first).to_contain_text("Ann with Kim c1")
    items.first.get_by_role("button", name="Acknowledge").click()
    expect(items).to_have_count(2)
    assert dana.evaluate("told") == [], "it tells nothing unasked"
    dana.get_by_label("Desktop notifications").check()
    dana.get_by_label("Sound").check()
    expect(dana.get_by_label("Desktop notifications")).to_be_checked()
    wait_until(lambda: dana.evaluate("told") == ["tone", "tone"], dana)  # what it will sound like
    dana.evaluate("told.length = 0")
    dana.keyboard.press("Escape")
    expect(items.first).to_be_hidden()

    trouble(calls, "c1", at=40.0)
    wait_until(lambda: dana.evaluate("told").count("tone") == 2, dana)
    told = ["Ann with Kim c1", "angry, since 0:40, nobody is on it"]
    wait_until(lambda: told in dana.evaluate("told"), dana)
    dana.reload()
    assert dana.get_by_label("Sound").is_checked()


def test_a_card_tells_what_led_to_an_alert_and_lets_act_at_once(desks: tuple[Page, Page], calls: redis.Redis) -> None:
    dana, tom = desks
    Ingest(calls, Settings()).create("c9", ["customer"], {"agent": "Eve", "customer": "Lea"})
    steps = [
        Point("happened", f"the customer {what}", "my money back", 3.0 + at, ["customer:0"], "customer")
        for at, what in enumerate(("accuses", "wants a refund", "is in distress"))
    ]
    promise = Point("promise", "", "you'll have it on Monday", 6.0, ["agent:0"], "agent")
    outcome = Point("outcome", "open: the customer is in distress", "my money", 7.0, ["customer:0"], "customer")
    trouble(calls, "c9", gist=[*steps, promise, outcome])
    story = (
        "Third call, the customer accuses, wants a refund, promised “you'll have it on Monday”, "
        "open: the customer is in distress"
    )
    card = dana.locator("#peek")
    cell(dana, "c9", "text").hover()
    for words in ("Eve with Lea", "angry, since 0:12, nobody is on it", story):
        expect(card).to_contain_text(words)
    expect(card.locator(".earlier li")).to_have_text([re.compile("content$"), re.compile("angry$")])
    card.get_by_role("button", name="Not needed").click()
    expect(card.get_by_role("button", name="Not needed")).to_have_attribute("aria-pressed", "true")
    assert Audit(calls).read("acts", 1)[0].deed.what == "judge needs_attention: not needed"
    dana.keyboard.press("Escape")
    expect(card).to_be_hidden()
    row(dana, "c9")
    expect(card).to_contain_text(story)
    with dana.expect_request(re.compile("/v1/calls/c9/audio")) as heard:
        dana.keyboard.press("p")
    assert "from=2.0" in heard.value.url, "ten seconds before"
    expect(dana.locator("[data-call=story]")).to_have_text(story)
    expect(card).to_be_hidden()
    tom.keyboard.press("b")
    expect(tom.locator("[data-bell=list]")).to_contain_text(story)


def test_the_card_stays_away_while_one_types_a_search(desks: tuple[Page, Page]) -> None:
    dana, _ = desks
    card = dana.locator("#peek")
    cell(dana, "c1", "text").hover()
    expect(card).to_be_visible()
    dana.keyboard.press("/")
    dana.keyboard.type("Kim")
    expect(card).to_be_hidden()
    dana.wait_for_timeout(1000)  # the search has moved a row under the pointer, and half a second is its rest
    expect(card).to_be_hidden()
    box = cell(dana, "c1", "text").bounding_box()
    assert box is not None
    dana.mouse.move(box["x"] + 20, box["y"] + 20)
    expect(card).to_be_visible()


def test_an_agent_asks_for_help_and_a_supervisor_answers(
    browser: Browser, web: Web, desks: tuple[Page, Page], calls: redis.Redis
) -> None:
    dana, _ = desks
    say(calls, "c3", 0, "I want my money back now")
    key = Access(calls).api_keys.add("cat", ("agent",), "Cat")
    with watched_page(browser, 390, 844) as cat:
        cat.goto(f"{web.url}/enter#{key}")
        expect(cat.locator("#lines")).to_contain_text("I want my money back now")
        assert key not in cat.url
        cat.get_by_label("Needs an approval").check()
        cat.get_by_role("button", name="Ask for help").click()
        expect(cat.get_by_role("status")).to_contain_text("You asked for help")
        expect(cell(dana, "c3", "alerts")).to_contain_text("Asks for help")
        wait_until(lambda: order(dana)[0] == "c3", dana)  # before the raised ones
        expect(bell(dana)).to_have_text("3")
        cat.get_by_role("button", name="I need no help any more").click()
        expect(bell(dana)).to_have_text("2")
        cat.get_by_role("button", name="Ask for help").click()
        expect(bell(dana)).to_have_text("3")
        cell(dana, "c3", "agent").click()
        expect(dana.locator("#call-help")).to_contain_text("Needs an approval")
        dana.get_by_label("Message to the agent").fill("Up to 50 is <b>fine</b>")
        dana.keyboard.press("Enter")
        messages = cat.get_by_role("list", name="Messages from supervisors").get_by_role("listitem")
        expect(messages).to_have_text(re.compile(r"^dana, \d?\d:\d\d:\d\d.*: Up to 50 is <b>fine</b>$"))
        expect(messages).to_be_in_viewport()
        messages.evaluate("one => one.dataset.seen = 'yes'")
        calls.hset(keys.track("c3", "customer"), "partial", "are you still there")
        expect(cat.locator("#lines")).to_contain_text("are you still there")
        expect(cat.locator("#messages [data-seen]")).to_be_visible()  # drawn anew, it would be read out anew
        dana.get_by_label("Message to the agent").fill("Say sorry first")
        dana.keyboard.press("Enter")
        expect(messages.first).to_contain_text("Say sorry first")
        expect(bell(dana)).to_have_text("2")
        assert cat.evaluate("document.documentElement.scrollWidth <= innerWidth")
        Access(calls).api_keys.revoke("cat")
        cat.wait_for_url("**/sign-in?**")
