"""The table's other shapes, wallboard, paper and file; and that everybody can use it."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.harness.browser import AXE, DRAWN
from tests.harness.calls.chatter import Telephony
from tests.harness.calls.synthetic import SyntheticServer
from tests.harness.calls.world import World
from tests.harness.wall import cell, count, order, three_calls, troubled, wait_until


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


FOUND = """async (where, only) => (await axe.run(where, {runOnly: only})).violations
    .map((v) => [v.id, v.nodes.map((n) => n.html + n.failureSummary).slice(0, 3)])"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
"""All rules that a colour scheme can break."""


def test_axe_finds_nothing_to_complain_of(page: Page, server: SyntheticServer, world: World) -> None:
    assert AXE.exists(), "axe-core is missing: npm ci --prefix webapp"
    page.emulate_media(color_scheme="light", reduced_motion="reduce")

    def check(what: str, where: str = "html") -> None:
        """Check all rules in the light and those of colours in the dark, in the sizes of a phone and a desk."""
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            for scheme, rules in (("dark", COLOURS), ("light", RULES)):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
                page.evaluate(DRAWN)
                found = page.evaluate(f"([where, only]) => ({FOUND})(where, only)", [where, rules])
                assert found == [], f"{what}, {width} px, {scheme}: {found}"

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
    expect(page.get_by_role("alert")).to_contain_text("the grey calls are as of")
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
