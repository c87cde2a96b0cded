"""Supervisors act on calls: each sees at once what the others do."""

from __future__ import annotations

import re

import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from state.people.audit import Audit
from tests.harness.acting import bell, row, trouble
from tests.harness.servers import Server
from tests.harness.wall import cell, order, wait_until
from tests.harness.web import web_process


def test_two_supervisors_see_each_other_take_acknowledge_snooze_and_hand_back(
    desks: tuple[Page, Page], calls: redis.Redis
) -> None:
    dana, tom = desks
    expect(bell(dana)).to_have_text("2")
    assert order(dana)[:2] == ["c1", "c2"]

    row(dana, "c1")
    dana.keyboard.press("t")
    expect(cell(dana, "c1", "alerts")).to_contain_text("You are on it")
    expect(cell(tom, "c1", "alerts")).to_contain_text("dana is on it")
    for page in desks:
        expect(bell(page)).to_have_text("1")
    wait_until(lambda: order(tom)[:2] == ["c2", "c1"], tom)

    row(tom, "c1")
    tom.keyboard.press("a")
    expect(tom.locator("#said")).to_have_text("dana is on it.")

    row(tom, "c2")
    tom.keyboard.press("a")
    expect(cell(dana, "c2", "alerts")).to_contain_text("Seen by tom")
    expect(bell(dana)).to_have_text("0")
    trouble(calls, "c2", at=40.0, attention=0.6)
    expect(bell(dana)).to_have_text("1")
    expect(cell(tom, "c2", "alerts")).not_to_contain_text("Seen by")
    tom.keyboard.press("s")
    snoozed = dana.locator("tbody[data-group=snoozed] tr[data-call-id=c2]")
    expect(snoozed.locator("[data-field=alerts]")).to_contain_text("Snoozed by tom · 5 min left")
    expect(snoozed).to_have_attribute("data-level", "calm")
    expect(dana.locator("[data-status=count-needs]")).to_have_text("1")

    row(dana, "c1")
    dana.keyboard.press("t")
    expect(cell(tom, "c1", "alerts")).not_to_contain_text("is on it")
    expect(bell(tom)).to_have_text("1")
    tom.reload()
    expect(cell(tom, "c2", "alerts")).to_contain_text("Snoozed by you")
    deeds = [(e.deed.who, e.deed.what, e.deed.about) for e in reversed(Audit(calls).read("acts", 50))]
    assert deeds == [
        ("dana", "take", "c1"),
        ("tom", "acknowledge", "c2"),
        ("tom", "snooze", "c2"),
        ("dana", "hand-back", "c1"),
    ]


def test_of_two_who_take_a_call_at_once_one_has_it_and_the_other_is_told(desks: tuple[Page, Page]) -> None:
    dana, tom = desks
    for page in desks:
        page.locator('tr[data-call-id="c1"] a').click()
        expect(page.locator("#call .body")).to_be_visible()
    ask = """() => new Promise((done) => setTimeout(() => {
        document.querySelector("[data-desk=take]").click();
        done();
    }, 300 - Date.now() % 300))"""  # both click when the clock comes to a multiple of 300 ms
    dana.evaluate(f"() => {{ ({ask})(); }}")
    tom.evaluate(f"() => {{ ({ask})(); }}")
    for page in desks:
        expect(page.locator("[data-desk=who]")).to_have_text(re.compile("^(You are|dana is|tom is) on it$"))
    winner, loser = (dana, tom) if dana.locator("[data-desk=who]").text_content() == "You are on it" else (tom, dana)
    name = "dana" if winner is dana else "tom"
    expect(winner.locator("[data-desk=who]")).to_have_text("You are on it")
    expect(loser.locator("[data-desk=who]")).to_have_text(f"{name} is on it")
    loser.get_by_role("button", name=f"Take over from {name}").click()
    expect(loser.locator("[data-desk=who]")).to_have_text("You are on it")
    expect(winner.locator("[data-desk=who]")).to_have_text(re.compile(r"^(dana|tom) is on it$"))


def test_notes_and_tags_are_read_by_the_other_at_once_and_found_by_the_search(desks: tuple[Page, Page]) -> None:
    dana, tom = desks
    tom.goto(tom.url.split("#")[0] + "#/calls/c3")
    row(dana, "c3")
    dana.keyboard.press("n")
    expect(dana.get_by_label("Note", exact=True)).to_be_focused()
    dana.keyboard.type("wants <b>his</b> money")
    dana.keyboard.press("Enter")
    tom.get_by_text("Notes and tags").click()
    expect(tom.locator("[data-desk=notes]")).to_contain_text("wants <b>his</b> money")
    expect(tom.locator("[data-desk=notes]")).to_contain_text("dana")
    assert tom.locator("[data-desk=notes] b").count() == 0
    tom.get_by_label("Tag", exact=True).fill("vip")
    tom.keyboard.press("Enter")
    expect(cell(dana, "c3", "alerts")).to_contain_text("vip")
    dana.keyboard.press("Escape")
    dana.get_by_label(re.compile("^Search")).fill("his")
    wait_until(lambda: order(dana) == ["c3"], dana)
    tom.get_by_role("button", name="Remove tag vip").click()
    expect(cell(dana, "c3", "alerts")).not_to_contain_text("vip")


def test_without_sign_in_a_supervisor_says_who_she_is_once(
    browser: Browser, valkey: Server, calls: redis.Redis, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with web_process(valkey.url, tmp_path_factory.mktemp("open") / "web.log") as web:
        page = browser.new_page()
        page.goto(web.url)
        expect(cell(page, "c1", "agent")).to_contain_text("Ann")
        row(page, "c1")
        page.keyboard.press("t")
        page.get_by_role("textbox", name="Your name").fill("Mia")
        page.get_by_role("button", name="That is me").click()
        expect(cell(page, "c1", "alerts")).to_contain_text("You are on it")
        row(page, "c2")
        page.keyboard.press("a")
        expect(cell(page, "c2", "alerts")).to_contain_text("Seen by you")
        page.close()
    assert Audit(calls).read("acts", 1)[0].deed.who == "Mia"
