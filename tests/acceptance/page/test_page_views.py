"""Choosing what the table shows: filters, search, sorting, the menu; the next worst, and what was missed."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.harness.calls.synthetic import SyntheticServer
from tests.harness.calls.world import World
from tests.harness.wall import cell, count, order, three_calls, troubled, wait_until


def test_filters_narrow_the_table_and_live_in_the_url(page: Page, server: SyntheticServer, world: World) -> None:
    three_calls(world)
    page.goto(server.url)
    expect(count(page, "live")).to_have_text("3")
    page.get_by_label("Agent", exact=True).select_option("Dana")
    wait_until(lambda: sorted(order(page)) == ["c1", "c3"], page)
    page.get_by_label("Queue").select_option("cards")
    wait_until(lambda: order(page) == ["c3"], page)
    expect(page.locator("#matching")).to_have_text("1 of 3 calls")
    expect(count(page, "needs")).to_have_text("1")
    quiet = page.locator("tbody[data-group=needs]")
    expect(quiet).to_contain_text("1 elsewhere")
    expect(quiet).to_contain_text("None among these.")
    expect(page.get_by_text("All quiet")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"\?agent=Dana&queue=cards$"))

    page.reload()
    expect(page.get_by_label("Agent", exact=True)).to_have_value("Dana")
    wait_until(lambda: order(page) == ["c3"], page)
    page.get_by_role("button", name="Show them").click()
    wait_until(lambda: len(order(page)) == 3, page)
    expect(quiet.locator(".elsewhere")).to_be_hidden()
    expect(page).to_have_url(server.url)

    page.get_by_label("Alert", exact=True).select_option("phrase")
    wait_until(lambda: order(page) == ["c2"], page)
    page.get_by_label("State").select_option("ended")
    expect(page.get_by_text("No call matches")).to_be_visible()
    expect(quiet).to_contain_text("1 elsewhere")
    page.get_by_role("button", name="Clear").click()
    wait_until(lambda: len(order(page)) == 3, page)


def test_search_finds_words_that_have_just_been_said(page: Page, server: SyntheticServer, world: World) -> None:
    three_calls(world)
    page.goto(server.url)
    expect(count(page, "live")).to_have_text("3")
    page.keyboard.press("/")
    page.keyboard.type("refund")
    expect(page.get_by_text("No call matches")).to_be_visible()
    world.partial("c3", "customer", "i want a refund")
    wait_until(lambda: order(page) == ["c3"], page)
    page.keyboard.press("Escape")
    expect(page.locator("tr[data-call-id=c3] a")).to_be_focused()
    page.reload()
    expect(count(page, "live")).to_have_text("3")
    page.keyboard.press("Tab")
    page.get_by_role("link", name="Skip to the calls").press("Enter")
    expect(page.locator("tr[data-call-id] a").first).to_be_focused()


def test_search_finds_what_was_said_long_ago_after_a_reload_too(
    page: Page, server: SyntheticServer, world: World
) -> None:
    three_calls(world)
    world.final("c1", "customer", "my parcel is lost", 5.0, 8.0)
    world.final("c1", "agent", "let me look", 9.0, 10.0)
    page.goto(server.url + "?q=parcel+words")  # one of them was said at the beginning, the other one later
    wait_until(lambda: order(page) == ["c1"], page)
    expect(cell(page, "c1", "text")).to_contain_text("0:00 customer words of c1")
    page.get_by_label(re.compile("^Search")).fill("parcel")
    expect(cell(page, "c1", "text").locator("mark")).to_have_text("parcel")
    expect(cell(page, "c1", "text")).to_contain_text("0:05 customer my parcel is lost")
    cell(page, "c1", "agent").click()
    hit = page.locator('#call li[data-utterance="customer:1"]')
    expect(hit).to_be_focused()
    expect(hit.locator("[data-found]")).to_have_text("parcel")
    page.keyboard.press("Escape")
    page.get_by_label(re.compile("^Search")).fill("parcel words")
    world.final("c3", "customer", "another parcel", 5.0, 8.0)
    wait_until(lambda: sorted(order(page)) == ["c1", "c3"], page)  # it asks again every 10 s
    world.final("c3", "agent", "thank you", 9.0, 10.0)
    page.wait_for_timeout(2500)  # the table is put in order meanwhile
    assert sorted(order(page)) == ["c1", "c3"]
    page.reload()
    wait_until(lambda: sorted(order(page)) == ["c1", "c3"], page)


def test_a_column_sorts_both_ways_below_raised_calls_and_a_call_without_a_score_stands_last(
    page: Page, server: SyntheticServer, world: World
) -> None:
    three_calls(world)
    world.add("c4", age=50)
    page.goto(server.url + "?sort=sentiment")
    wait_until(lambda: order(page) == ["c2", "c3", "c1", "c4"], page)
    header = page.get_by_role("columnheader", name="Mood")
    expect(header).to_have_attribute("aria-sort", "ascending")
    header.get_by_role("button").click()
    wait_until(lambda: order(page) == ["c2", "c1", "c3", "c4"], page)
    expect(page).to_have_url(re.compile(r"\?sort=-sentiment$"))
    header.get_by_role("button").click()
    wait_until(lambda: order(page) == ["c2", "c1", "c3", "c4"], page)
    expect(page).to_have_url(server.url)


def test_the_toolbar_is_one_line_and_the_menu_leads_to_the_other_pages(
    page: Page, server: SyntheticServer, world: World
) -> None:
    three_calls(world)
    page.goto(server.url + "?agent=Dana&queue=cards")
    expect(page.locator("#matching")).to_have_text("1 of 3 calls")
    for width in (1440, 1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        middles = page.locator("#filters > *").evaluate_all(
            """(parts) => parts.map((part) => part.getBoundingClientRect()).filter(({width}) => width)
                .map(({top, height}) => top + height / 2)"""
        )
        assert max(middles) - min(middles) < 12, (width, middles)
        menu = page.locator("#pages summary")
        menu.focus()
        page.keyboard.press("Enter")
        pages = page.get_by_role("navigation", name="Pages").get_by_role("link")
        assert [text.split(" (")[0] for text in pages.all_text_contents()] == [
            "Live calls", "History", "Reports", "Reviews", "Agents", "Rules"
        ]  # fmt: skip
        for link in pages.all():
            expect(link).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("link", name="Live calls")).to_have_attribute("aria-current", "page")
        page.keyboard.press("Escape")
        expect(pages.first).to_be_hidden()
        expect(menu).to_be_focused()
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Rules").focus()
        page.keyboard.press("Tab")
        expect(pages.first).to_be_hidden()
    menu.click()
    page.get_by_role("button", name="Keys and signs").click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()


def test_one_key_opens_the_next_worst_call_plays_its_worst_and_offers_to_take_it(
    page: Page, server: SyntheticServer, world: World
) -> None:
    three_calls(world)
    page.goto(server.url)
    expect(count(page, "needs")).to_have_text("1")
    troubled(world, "c3")
    wait_until(lambda: order(page)[:2] == ["c2", "c3"], page)
    for call_id in ("c2", "c3", "c2"):
        with page.expect_request(re.compile(f"/v1/calls/{call_id}/audio\\?from=0")):
            page.keyboard.press("w")
        expect(page).to_have_url(re.compile(f"#/calls/{call_id}$"))
        expect(page.get_by_role("button", name="Take")).to_be_focused()
    for call_id in ("c2", "c3"):
        world.handle(call_id, state="taken", by="Dana")
    expect(page.get_by_role("button", name="Take over from Dana")).to_be_visible()
    page.keyboard.press("w")
    expect(page.locator("#said")).to_have_text("No call waits for a supervisor.")


LOOKS = """state => {
    Object.defineProperty(document, "visibilityState", {value: state, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""
"""The viewer goes to another tab ("hidden"), or comes back ("visible")."""


def test_who_comes_back_is_told_what_was_raised_meanwhile(page: Page, server: SyntheticServer, world: World) -> None:
    three_calls(world)
    page.goto(server.url)
    expect(count(page, "needs")).to_have_text("1")
    page.evaluate(LOOKS, "hidden")
    page.evaluate(LOOKS, "visible")
    away = page.get_by_role("region", name=re.compile("^Since you looked away"))
    expect(away).to_be_hidden()
    page.evaluate(LOOKS, "hidden")
    for call_id in ("c1", "c3"):
        troubled(world, call_id)
    expect(count(page, "needs")).to_have_text("3")
    world.score("c1", "customer:0", 0.4, 0.1)
    expect(count(page, "needs")).to_have_text("2")
    page.evaluate(LOOKS, "visible")
    expect(away.get_by_role("listitem")).to_have_count(2)
    expect(away).to_contain_text(re.compile(r"\d s ago: Dana with Bo Asks for a manager, since 0:03, nobody is on it"))
    expect(away).to_contain_text("Dana with Kim has calmed down")
    away.get_by_role("link", name="Dana with Bo").click()
    expect(page.get_by_role("complementary", name="Dana with Bo")).to_be_visible()
    expect(away).to_be_hidden()
