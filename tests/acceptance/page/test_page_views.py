"""Choosing what the table shows, and its other shapes: wallboard, paper, file; and that everybody can use it."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.harness.browser import AXE
from tests.harness.calls.chatter import Telephony
from tests.harness.calls.synthetic import SyntheticServer
from tests.harness.calls.world import World
from tests.harness.wall import cell, count, order, troubled, wait_until


def three_calls(world: World) -> None:
    world.add("c1", age=300, agent="Dana", queue="billing", customer="Kim")
    world.add("c2", age=200, agent="Tom", queue="cards", customer="Ana")
    world.add("c3", age=100, agent="Dana", queue="cards", customer="Bo")
    for name, polarity in (("c1", 0.5), ("c3", -0.3)):
        world.score(name, world.final(name, "customer", f"words of {name}", 0.0, 1.0), polarity, 0.1)
    troubled(world, "c2")


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
    wait_until(lambda: sorted(order(page)) == ["c1", "c3"], page, 20)  # it asks again every 10 s
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


def test_the_table_is_had_as_a_file_for_a_spreadsheet(page: Page, server: SyntheticServer, world: World) -> None:
    three_calls(world)
    world.add("evil", agent="=HYPERLINK(1)")
    page.goto(server.url)
    expect(cell(page, "evil", "agent")).to_contain_text("=HYPERLINK(1)")
    with page.expect_download() as download:
        page.locator("#pages summary").click()
        page.get_by_role("button", name="Table as CSV").click()
    with Path(download.value.path()).open(newline="", encoding="utf-8-sig") as file:
        rows = {row["call_id"]: row for row in csv.DictReader(file)}
    assert list(rows) == order(page)
    assert rows["c2"]["sentiment"] == "-0.7"
    assert rows["c2"]["alerts"] == "Asks for a manager"
    assert rows["evil"]["agent"] == "'=HYPERLINK(1)"


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


def test_the_wallboard_shows_large_cards_tiles_for_the_rest_and_nothing_to_press(
    page: Page, server: SyntheticServer, world: World
) -> None:
    three_calls(world)
    world.add("c4", agent="Mia")
    world.end("c4")
    page.goto(server.url)
    page.locator("#pages summary").click()
    page.get_by_role("link", name="Wallboard").click()
    cards = page.get_by_role("list", name="Calls that need attention").get_by_role("listitem")
    tiles = page.get_by_role("list", name="Other live calls").get_by_role("listitem")
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text(
        re.compile("Tom with Ana.*angry · falling · 3:.*Asks for a manager.*i want your manager")
    )
    expect(tiles).to_have_text([re.compile("Danahappy"), re.compile("Danaunhappy")])
    expect(page.locator("#board")).not_to_contain_text("Mia")
    expect(page.get_by_role("search")).to_be_hidden()
    title = "document.querySelector('#board .cards .title')"  # in one step: the board writes its cards anew each second
    assert page.evaluate(f"parseFloat(getComputedStyle({title}).fontSize)") >= 30
    world.handle("c2", state="taken", by="Dana")
    expect(cards).to_contain_text("Dana is on it")
    world.score("c2", "customer:0", -0.1, 0.2)
    expect(cards).to_have_count(0)
    expect(page.get_by_text("No call needs anybody.")).to_be_visible()
    expect(tiles).to_have_count(3)
    for n in range(8):  # more than there are cards for
        world.add(f"more{n}", age=10 + n, agent=f"Agent {n}")
        troubled(world, f"more{n}")
    expect(cards).to_have_count(6)
    expect(tiles.filter(has_text="Needs attention")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.get_by_role("search")).to_be_visible()


def test_on_paper_every_row_is_there_and_no_button(page: Page, server: SyntheticServer, world: World) -> None:
    telephony = Telephony(world, 60)
    telephony.warm_up(3)
    page.goto(server.url)
    expect(count(page, "live")).to_have_text("60")
    assert len(order(page)) < 60
    page.evaluate(
        """() => {
            const count = () => document.querySelectorAll("tr[data-call-id]").length;
            addEventListener("afterprint", () => { window.printed = count(); });
        }"""
    )
    page.pdf()
    assert page.evaluate("window.printed") == 60
    wait_until(lambda: len(order(page)) < 60, page)
    page.set_viewport_size({"width": 1000, "height": 700})  # as wide as a sheet
    page.emulate_media(media="print")
    expect(page.get_by_role("search")).to_be_hidden()
    widths: dict[str, float] = page.eval_on_selector_all(
        "tr[data-call-id] > td",
        "cells => Object.fromEntries(cells.map(cell => [cell.dataset.field, cell.offsetWidth]))",
    )
    assert widths["text"] == max(widths.values())
    heights = page.eval_on_selector_all("tr[data-call-id]", "rows => rows.map(row => row.offsetHeight)")
    assert len(heights) == 60
    assert min(heights) > 10
    assert page.evaluate("document.body.scrollHeight") >= sum(heights)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_to_complain_of(
    page: Page, server: SyntheticServer, world: World, scheme: str, width: int
) -> None:
    assert AXE.exists(), "axe-core is missing: npm ci --prefix webapp"
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")

    def check(what: str, where: str = "html") -> None:
        found = page.evaluate(
            """async (where) => (await axe.run(where, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa",
                "wcag22aa", "best-practice"]})).violations.map((v) => [v.id, v.nodes.map((n) => n.html +
                n.failureSummary).slice(0, 3)])""",
            where,
        )
        assert found == [], f"{what}: {found}"

    page.goto(server.url)
    page.evaluate(AXE.read_text())
    expect(page.get_by_role("heading", name="No calls yet")).to_be_visible()
    check("no calls")
    three_calls(world)
    world.partial("c1", "customer", "well", lag=20)
    world.add("c4", age=50, agent="Mia")
    world.score("c4", world.final("c4", "customer", "hm", 0.0, 1.0), -0.2, 0.6)
    world.add("c5", agent="Leo")
    world.end("c5")
    wait_until(lambda: order(page)[:1] == ["c2"] and len(order(page)) == 5, page)
    check("calls")
    page.locator("#pages summary").click()
    check("the menu", "#pages")  # it covers a part of what stands below, on purpose
    page.keyboard.press("Escape")
    world.fleet["decoders"] = 0
    expect(page.get_by_role("alert")).to_contain_text("no decoder is running")
    check("calls that nobody decodes")
    world.fleet.update(decoders=2, shards=1, away=[0])
    expect(page.get_by_role("alert")).to_contain_text("the grey calls stand as they did")
    expect(page.locator("tr[data-call-id=c2]")).to_have_attribute("data-away", "yes")
    check("calls of a part of the store that is away")
    world.fleet.update(decoders=0, away=[])
    expect(page.get_by_role("alert")).to_contain_text("no decoder is running")
    page.locator("tr[data-call-id=c2] a").click()
    expect(page.locator("#call ol li")).to_have_count(1)
    page.locator("#call .rest summary").click()
    page.get_by_role("button", name="Mark unsure words").click()
    check("an opened call and what it is downloaded as")
    page.locator("#call h2").click()
    expect(page.locator("#call .menu[open]")).to_have_count(0)
    page.get_by_text("Notes and tags").click()
    page.get_by_text("Snooze", exact=True).click()
    expect(page.locator("#call .menu[open]")).to_have_count(1)
    note = {"by": "Tom", "at": "2026-01-31T09:00:00.000Z", "text": "ring back"}
    world.handle("c2", state="taken", by="Dana", tags=["vip"], notes=[note])
    expect(page.get_by_role("button", name="Take over from Dana")).to_be_visible()
    check("an opened call")
    page.keyboard.press("Escape")
    world.handle("c4", state="acknowledged", by="Tom", seen=1.0)
    expect(cell(page, "c4", "alerts")).to_contain_text("Seen by Tom")
    page.keyboard.press("b")
    expect(page.get_by_label("Sound")).to_be_visible()
    check("the bell")
    page.keyboard.press("Escape")
    page.locator("tr[data-call-id=c1] a").focus()
    page.keyboard.press("t")
    expect(page.get_by_role("dialog", name="What is your name?")).to_be_visible()
    check("asked for a name")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    check("help")
