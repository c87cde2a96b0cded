"""The live table with hundreds of calls, and on a phone."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import Page, expect

from tests.harness.browser import DRAWN
from tests.harness.calls.chatter import Telephony
from tests.harness.calls.synthetic import SyntheticServer
from tests.harness.calls.world import World
from tests.harness.wall import IN_SIGHT, cell, count, in_sight, order, troubled, wait_until


def test_three_hundred_calls_stay_equal_to_the_server_while_all_talk(
    page: Page, server: SyntheticServer, world: World
) -> None:
    telephony = Telephony(world, 300)
    telephony.warm_up(3)
    page.goto(server.url)
    for _ in range(3):
        telephony.warm_up(2)
        page.wait_for_timeout(200)
    expected = {row["call_id"]: str(row["sentiment"]["score"]) for row in world.rows()}
    words = {row["call_id"]: row["last"]["text"] for row in world.rows() if row["last"]}

    def shown() -> dict[str, list[str]]:
        """What every row says. A row is in the page only while one has scrolled to it."""
        found: dict[str, list[str]] = page.evaluate(
            """async () => {
                const scroll = document.querySelector("#calls").parentElement;
                const found = {};
                for (scroll.scrollTop = 0; ; scroll.scrollTop += scroll.clientHeight) {
                    await new Promise((drawn) => setTimeout(drawn, 50));
                    for (const row of document.querySelectorAll("tr[data-call-id]"))
                        found[row.dataset.callId] = [row.querySelector("[data-field=sentiment]").dataset.value,
                            row.querySelector("[data-part=final]").textContent];
                    if (scroll.scrollTop >= scroll.scrollHeight - scroll.clientHeight - 1) return found;
                }
            }"""
        )
        return found

    def equal() -> bool:
        rows = shown()
        return (
            len(rows) == 300
            and all(rows[name][0] == ("" if score == "None" else score) for name, score in expected.items())
            and all(rows[name][1] == text for name, text in words.items())
        )

    wait_until(equal, page)


WALKED = (
    """async (table, step) => {
    const box = table.parentElement;
    const walked = [];
    for (let y = 0; y < box.scrollHeight - box.clientHeight + step; y += step) {
        box.scrollTop = y;
        for (let n = 0; n < 2; n += 1) await new Promise(requestAnimationFrame);
        walked.push([document.querySelectorAll("tr[data-call-id]").length, (IN_SIGHT)()]);
    }
    return walked;
}"""
).replace("IN_SIGHT", IN_SIGHT)
"""Scrolls from the top to the end. Returns for each step how many rows the page holds, and those in sight."""


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_of_many_calls_the_page_holds_those_in_sight_wherever_one_scrolls(
    page: Page, server: SyntheticServer, world: World, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    for number in range(400):
        world.add(f"c{number:03d}", age=1000 - number, agent=f"Agent {number:03d}")
        if number % 7 == 0:
            troubled(world, f"c{number:03d}", attention=0.2)
    page.goto(server.url)
    expect(count(page, "live")).to_have_text("400")
    table = page.get_by_role("table", name="Calls")
    scroll = "(table, y) => { table.parentElement.scrollTop = y; }"
    deepest = table.evaluate("table => table.parentElement.scrollHeight - table.parentElement.clientHeight")
    met: set[str] = set()
    for rows_held, shown in table.evaluate(WALKED, height // 2):
        assert rows_held < 60
        tops = sorted(top for top, _ in shown.values())
        assert len(tops) >= height // 200  # no hole where rows should be
        assert max((b - a for a, b in itertools.pairwise(tops)), default=0) < 200
        assert list(shown) == sorted(shown)
        assert all(agent == f"Agent {call_id[1:]}" for call_id, (_, agent) in shown.items())
        met |= shown.keys()
    assert len(met) == 400
    expect(page.locator("tr[data-call-id=c399]")).to_be_in_viewport()
    rows = str(1 + 2 + 1 + 400)  # the columns' heads, two groups', all quiet, the calls
    expect(page.locator("tr[data-call-id=c399]")).to_have_attribute("aria-rowindex", rows)
    expect(table).to_have_attribute("aria-rowcount", rows)
    world.partial("c399", "agent", "at the very end")
    expect(cell(page, "c399", "text")).to_contain_text("at the very end")

    table.evaluate(scroll, deepest // 2)
    page.evaluate(DRAWN)
    before = in_sight(page)
    troubled(world, "c005")  # rises far above
    expect(count(page, "needs")).to_have_text("1")
    after = in_sight(page)
    assert all(abs(after[call_id][0] - top) < 2 for call_id, (top, _) in list(before.items())[1:-1])


def test_the_keyboard_reaches_rows_that_are_out_of_sight_and_does_not_lose_its_own(
    page: Page, server: SyntheticServer, world: World
) -> None:
    for number in range(200):
        world.add(f"c{number:03d}", age=1000 - number, agent=f"Agent {number:03d}")
    page.goto(server.url)
    expect(count(page, "live")).to_have_text("200")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    expect(page.get_by_role("link", name="Agent 199")).to_be_focused()
    expect(page.get_by_role("link", name="Agent 199")).to_be_in_viewport()
    page.mouse.move(700, 500)
    page.mouse.wheel(0, -20_000)
    expect(page.get_by_role("link", name="Agent 000")).to_be_in_viewport()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("link", name="Agent 198")).to_be_focused()
    expect(page.get_by_role("link", name="Agent 198")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary")).to_contain_text("Agent 198")
    page.mouse.wheel(0, -20_000)
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Agent 198")).to_be_focused()
    page.keyboard.press("Home")
    expect(page.get_by_role("link", name="Agent 000")).to_be_in_viewport(ratio=1)


def test_the_table_fits_a_phone_and_a_finger(page: Page, server: SyntheticServer, world: World) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    world.add("c1", agent="Dana Reyes", customer="Kim Lee", queue="billing")
    troubled(world, "c1")
    page.goto(server.url)
    for field in ("agent", "customer", "attention", "sentiment", "text", "alerts", "duration"):
        expect(cell(page, "c1", field)).to_be_in_viewport(ratio=0.95)
    page.get_by_role("button", name="Filters").click()
    for width in (390, 720, 1280):  # 720: a usual laptop at 200 % zoom
        page.set_viewport_size({"width": width, "height": 844})
        small, outside = page.evaluate(
            """() => {
                const pressed = ".bar :is(button, summary), .tools :is(input, select, button, a)";
                const boxes = [...document.querySelectorAll(pressed)]
                    .filter((each) => each.checkVisibility({visibilityProperty: true}))
                    .map((each) => [each.textContent.trim(), each.getBoundingClientRect()]);
                const small = boxes.filter(([, {height}]) => height < 44);
                const outside = boxes.filter(([, {left, right}]) => left < 0 || right > innerWidth);
                return [small, outside].map((found) => found.map(([name]) => name));
            }"""
        )
        assert outside == []
        assert width > 390 or small == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Queue").select_option("billing")
    wait_until(lambda: order(page) == ["c1"], page)
