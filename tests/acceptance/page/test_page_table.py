"""The live table as a supervisor sees it, in a real browser over a real Socket.IO link."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.harness.calls.synthetic import SyntheticServer
from tests.harness.calls.world import World
from tests.harness.wall import DASH, cell, count, in_sight, order, troubled, wait_until


def test_a_call_appears_is_transcribed_scored_and_ends_without_a_reload(
    page: Page, server: SyntheticServer, world: World
) -> None:
    page.goto(server.url)
    expect(page.get_by_role("heading", name="No calls yet")).to_be_visible()

    world.add("c1", age=65, agent="Dana Reyes", customer="Kim Lee", queue="billing")
    expect(cell(page, "c1", "agent")).to_contain_text("Dana Reyes")
    expect(cell(page, "c1", "customer")).to_contain_text("Kim Lee")
    expect(cell(page, "c1", "state")).to_have_text("live")
    expect(cell(page, "c1", "duration")).to_have_text(re.compile(r"1:\d\d"))
    expect(cell(page, "c1", "sentiment")).to_have_text(DASH)

    world.partial("c1", "customer", "i want my")
    partial = cell(page, "c1", "text").locator("em.partial")
    expect(partial).to_have_text("i want my")
    assert partial.evaluate("e => getComputedStyle(e).fontStyle") == "italic"
    expect(cell(page, "c1", "customer")).to_contain_text("talking")

    said = world.final("c1", "customer", "i want my money back", 1.0, 3.0)
    expect(cell(page, "c1", "text").locator(".final")).to_contain_text("i want my money back")
    expect(partial).to_be_hidden()
    expect(cell(page, "c1", "customer")).not_to_contain_text("talking")

    world.score("c1", said, -0.5, 0.8, alert=("phrase", "Wants a refund"))
    expect(cell(page, "c1", "sentiment")).to_have_text("angry ")
    expect(cell(page, "c1", "sentiment")).to_have_attribute("title", re.compile("mood −0.50"))
    expect(cell(page, "c1", "attention")).to_have_text("80")
    expect(cell(page, "c1", "alerts")).to_contain_text("Wants a refund")
    assert cell(page, "c1", "trend").locator("polyline").get_attribute("points")

    world.end("c1")
    expect(cell(page, "c1", "state")).to_have_text("ended")
    expect(page.locator("tbody[data-group=ended] tr[data-call-id=c1]")).to_be_visible()


def test_a_score_of_zero_is_shown_and_a_missing_name_is_a_dash(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("c1")
    world.score("c1", world.final("c1", "customer", "hm", 0.0, 1.0), 0.0, 0.0)
    page.goto(server.url)
    expect(cell(page, "c1", "sentiment")).to_contain_text("even")
    expect(cell(page, "c1", "sentiment")).to_have_attribute("data-value", "0")
    expect(cell(page, "c1", "customer")).to_have_text(DASH)
    expect(cell(page, "c1", "agent")).to_have_text(re.compile(f"^{DASH}\\s+c1$"))


def test_mood_is_told_in_words_besides_colour(page: Page, server: SyntheticServer, world: World) -> None:
    for name, polarity, trend in (("happy", 0.6, 0.3), ("even", 0.0, 0.0), ("angry", -0.6, -0.4)):
        world.add(name)
        world.score(name, world.final(name, "customer", "well", 0.0, 1.0), polarity, 0.0, trend=trend)
    page.goto(server.url)
    for name, course in (("happy", "rising"), ("even", "steady"), ("angry", "falling")):
        expect(cell(page, name, "sentiment")).to_have_text(f"{name} {course}")


def test_an_alert_tells_the_words_first_and_never_the_mood(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1", agent="Dana", queue="billing", customer="Kim")
    said = world.final("c1", "customer", "my solicitor will hear of it", 1.0, 3.0)
    why = ("3 unhappy turns in a row", "“my solicitor”: Threatens legal or public steps")
    world.score("c1", said, -0.7, 0.9, why=why, raised=True)
    page.goto(server.url)
    alerts = cell(page, "c1", "alerts")
    expect(alerts).to_have_text("“my solicitor” Threatens legal or public steps")
    fits = "e => e.scrollWidth <= e.clientWidth"
    assert alerts.locator(".alert").evaluate(fits)
    page.get_by_role("link", name="Dana").click()
    expect(cell(page, "c1", "state")).to_be_hidden()  # another column makes room for it
    assert alerts.locator(".alert").evaluate(fits)
    world.partial("c1", "customer", "and")
    expect(cell(page, "c1", "customer")).to_contain_text("talking")
    expect(cell(page, "c1", "agent")).to_contain_text("billing")


def test_calls_that_need_attention_stand_first_and_the_counts_say_so(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("old", age=600)
    world.add("young", age=10)
    page.goto(server.url)
    expect(count(page, "live")).to_have_text("2")
    expect(page.get_by_text("All quiet.")).to_be_visible()
    stood = in_sight(page)["old"]
    assert order(page) == ["old", "young"]

    troubled(world, "young")
    wait_until(lambda: order(page) == ["young", "old"], page)
    expect(page.locator("tbody[data-group=needs] tr[data-call-id=young]")).to_be_visible()
    expect(page.get_by_text("All quiet.")).to_be_hidden()
    assert in_sight(page)["old"] == stood
    expect(count(page, "needs")).to_have_text("1")
    expect(page).to_have_title("(1) Earshot")
    expect(page.locator("#news")).to_contain_text("Asks for a manager")


def test_a_raised_call_rises_and_an_ended_one_leaves_while_the_row_under_the_pointer_stays(
    page: Page, server: SyntheticServer, world: World
) -> None:
    for number, name in enumerate("abcdef"):
        world.add(name, age=600 - number)
    troubled(world, "a")
    page.goto(server.url)
    wait_until(lambda: order(page) == [*"abcdef"], page)
    cell(page, "d", "agent").hover()
    stood = in_sight(page)["d"]
    for name in ("e", "f"):
        troubled(world, name, 0.95)
        wait_until(lambda name=name: order(page)[:3].count(name) == 1, page)
        assert in_sight(page)["d"] == stood
    world.end("f")
    wait_until(lambda: order(page)[-1] == "f", page)
    assert in_sight(page)["d"] == stood
    troubled(world, "d")
    expect(page.locator("tr[data-call-id=d]")).to_have_attribute("data-level", "now")
    page.wait_for_timeout(2500)  # the page orders its rows more often than that
    assert in_sight(page)["d"] == stood

    page.mouse.move(700, 5)
    wait_until(lambda: sorted(order(page)[:3]) == [*"ade"], page)
    expect(page.locator('tr[data-call-id=d][data-mark="moved"]')).to_be_visible()


def test_the_keyboard_goes_about_in_the_table_and_holds_its_row(
    page: Page, server: SyntheticServer, world: World
) -> None:
    for number, age in enumerate((900, 600, 300)):
        world.add(f"c{number}", age=age, agent=f"Agent {number}")
    page.goto(server.url)
    expect(count(page, "live")).to_have_text("3")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Agent 1")).to_be_focused()
    stood = in_sight(page)["c1"]
    troubled(world, "c2")
    wait_until(lambda: order(page) == ["c2", "c0", "c1"], page)
    assert in_sight(page)["c1"] == stood
    page.keyboard.press("Home")
    expect(page.get_by_role("link", name="Agent 2")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_call_whose_transcript_lags_says_by_how_much(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1")
    page.goto(server.url)
    world.partial("c1", "customer", "well", lag=14.2)
    expect(cell(page, "c1", "state")).to_contain_text("behind 14 s")
    expect(count(page, "behind")).to_have_text("1")
    world.partial("c1", "customer", "well then", lag=0.3)
    expect(cell(page, "c1", "state")).to_have_text("live")
    expect(count(page, "behind")).to_have_text("0")


def test_voice_without_words_is_told_in_the_row_and_the_opened_call_and_raises_nothing(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("c1", age=300, agent="Dana", customer="Kim", queue="billing")
    world.final("c1", "customer", "good day", 0.0, 1.0)
    page.goto(server.url)
    expect(cell(page, "c1", "customer")).to_contain_text("silent")
    world.partial("c1", "customer", "", wordless=True)
    expect(cell(page, "c1", "customer")).to_contain_text("heard, no words")
    expect(cell(page, "c1", "customer")).not_to_contain_text("silent")
    expect(cell(page, "c1", "customer").locator(".sub")).to_have_attribute("title", re.compile("Listen in to find out"))
    expect(count(page, "needs")).to_have_text("0")
    cell(page, "c1", "agent").click()
    opened = page.get_by_role("complementary")
    expect(opened).to_contain_text("heard, no words (customer)")
    expect(opened).to_contain_text("the line may be bad, or the language another")
    world.partial("c1", "customer", "yes i am here")
    expect(opened).not_to_contain_text("no words")
    expect(cell(page, "c1", "customer")).not_to_contain_text("no words")


def test_words_from_calls_are_never_taken_for_markup(page: Page, server: SyntheticServer, world: World) -> None:
    hostile = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
    world.add("c1", agent=hostile, customer=hostile)
    page.goto(server.url)
    world.partial("c1", "agent", hostile)
    said = world.final("c1", "customer", hostile, 0.0, 1.0)
    world.score("c1", said, 0.0, 0.1, alert=("phrase", hostile))
    for field in ("agent", "customer", "text", "alerts"):
        expect(cell(page, "c1", field)).to_contain_text(hostile)
    assert page.locator("#calls img, #calls script").count() == 0
    expect(page).to_have_title("Earshot")
