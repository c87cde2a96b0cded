"""The live table as a supervisor sees it, in a real browser over a real Socket.IO link."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.harness.calls.chatter import Telephony
from tests.harness.calls.synthetic import SyntheticServer, World

DASH = "–"


def cell(page: Page, call_id: str, field: str) -> Locator:
    return page.locator(f'tr[data-call-id="{call_id}"] [data-field={field}]')


def order(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all("tr[data-call-id]", "rows => rows.map(row => row.dataset.callId)")
    return found


def count(page: Page, name: str) -> Locator:
    return page.locator(f"[data-status=count-{name}]")


def banner(page: Page) -> Locator:
    return page.get_by_role("alert")


def wait_until(condition: Callable[[], bool], page: Page, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        page.wait_for_timeout(50)


def troubled(world: World, call_id: str, attention: float = 0.9) -> None:
    """A call whose customer has just said something alarming."""
    said = world.final(call_id, "customer", "i want your manager", 1.0, 3.0)
    world.score(call_id, said, -0.7, attention, trend=-0.3, alert=("phrase", "Asks for a manager"))


def test_a_call_appears_is_transcribed_scored_and_ends_without_a_reload(
    page: Page, server: SyntheticServer, world: World
) -> None:
    page.goto(server.url)
    expect(page.get_by_role("heading", name="No calls yet")).to_be_visible()

    world.add("c1", age=65, agent="Dana Reyes", customer="Kim Lee", queue="billing")
    expect(cell(page, "c1", "agent")).to_contain_text("Dana Reyes")
    expect(cell(page, "c1", "customer")).to_contain_text("Kim Lee")
    expect(cell(page, "c1", "state")).to_have_text("live")
    expect(cell(page, "c1", "duration")).to_have_text(re.compile(r"1:0\d"))
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
    page.wait_for_timeout(2500)  # longer than the rhythm in which rows are put in order
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
    expect(cell(page, "c1", "customer").locator(".sub")).to_have_attribute("title", re.compile("Listen in to know"))
    expect(count(page, "needs")).to_have_text("0")
    cell(page, "c1", "agent").click()
    opened = page.get_by_role("complementary")
    expect(opened).to_contain_text("heard, no words (customer)")
    expect(opened).to_contain_text("the line may be bad, or the language another")
    world.partial("c1", "customer", "yes i am here")
    expect(opened).not_to_contain_text("no words")
    expect(cell(page, "c1", "customer")).not_to_contain_text("no words")


def test_a_dropped_link_is_announced_and_made_good_without_a_hole(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("c1")
    world.add("c2")
    page.goto(server.url)
    world.partial("c1", "customer", "before")
    expect(cell(page, "c1", "text")).to_contain_text("before")

    world.refusing = True
    server.drop_links()
    expect(banner(page)).to_contain_text("Connection lost")
    expect(page.get_by_text("All quiet.")).to_be_hidden()
    stopped = cell(page, "c1", "duration").text_content()
    page.wait_for_timeout(1500)
    expect(cell(page, "c1", "duration")).to_have_text(stopped or "")
    troubled(world, "c2")
    world.end("c1")
    world.add("c3", agent="New One")
    world.refusing = False
    expect(cell(page, "c3", "agent")).to_contain_text("New One")
    expect(cell(page, "c1", "state")).to_have_text("ended")
    expect(cell(page, "c2", "alerts")).to_contain_text("Asks for a manager")
    expect(banner(page)).to_be_hidden()


def test_after_an_absence_longer_than_the_feed_the_table_equals_the_servers(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("gone")
    world.add("stays", agent="Old Name")
    page.goto(server.url)
    expect(cell(page, "stays", "agent")).to_contain_text("Old Name")
    world.refusing = True
    server.drop_links()
    with world.lock:
        del world.calls["gone"]
        world.calls["stays"]["metadata"] = {"agent": "New Name"}
        for _ in range(5):
            world.partial("stays", "agent", "hello")
        del world.feed[:-1]
    world.refusing = False
    expect(cell(page, "stays", "agent")).to_contain_text("New Name")
    wait_until(lambda: order(page) == ["stays"], page)


def test_a_laptop_that_slept_for_an_hour_shows_the_present_calls_when_it_wakes(
    page: Page, server: SyntheticServer, world: World
) -> None:
    dead: set[WebSocketRoute] = set()
    links: list[WebSocketRoute] = []

    def carry(link: WebSocketRoute) -> None:
        behind = link.connect_to_server()
        links.append(link)
        link.on_message(lambda said: None if link in dead else behind.send(said))
        behind.on_message(lambda said: None if link in dead else link.send(said))

    page.route_web_socket(re.compile("socket.io"), carry)
    page.clock.install()
    world.add("gone", agent="Dana")
    world.add("stays", agent="Old Name")
    page.goto(server.url)
    expect(cell(page, "stays", "agent")).to_contain_text("Old Name")
    page.clock.pause_at(time.time() + 5)
    dead.update(links)  # nobody tells a sleeping machine that its link has gone
    with world.lock:
        del world.calls["gone"]
        world.calls["stays"]["metadata"] = {"agent": "New Name"}
    world.add("new", agent="Mia")
    troubled(world, "new")
    del world.feed[:-1]
    page.clock.fast_forward("01:00:00")
    page.clock.resume()
    wait_until(lambda: order(page) == ["new", "stays"], page)
    expect(cell(page, "stays", "agent")).to_contain_text("New Name")
    expect(count(page, "needs")).to_have_text("1")
    expect(banner(page)).to_be_hidden()
    world.partial("stays", "customer", "good morning")
    expect(cell(page, "stays", "text")).to_contain_text("good morning")
    assert len(links) == 2, "one new link"


def test_a_batch_that_was_lost_on_the_way_is_fetched(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1")
    page.goto(server.url)
    expect(count(page, "live")).to_have_text("1")
    world.lose_batches = 1
    troubled(world, "c1")
    wait_until(lambda: world.lose_batches == 0, page)
    world.partial("c1", "agent", "one moment")
    expect(cell(page, "c1", "text")).to_contain_text("one moment")
    expect(cell(page, "c1", "alerts")).to_contain_text("Asks for a manager")


def test_silence_of_the_server_is_announced_with_its_age(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1")
    page.goto(server.url)
    expect(page.locator("[data-status=decoders]")).to_have_attribute("title", "2 decoders at work")
    world.silent = True
    expect(banner(page)).to_contain_text(re.compile(r"stopped reporting\. .* [78] s ago"), timeout=12_000)
    world.silent = False
    expect(banner(page)).to_be_hidden()


def test_no_decoder_is_said_aloud_and_moves_no_row(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1")
    page.goto(server.url)
    expect(cell(page, "c1", "agent")).to_be_visible()
    stood = in_sight(page)
    world.fleet["decoders"] = 0
    expect(banner(page)).to_contain_text("no decoder is running")
    assert in_sight(page) == stood


def test_the_fleets_backlog_is_told_as_what_a_line_feels(page: Page, server: SyntheticServer, world: World) -> None:
    for name in ("c1", "c2"):
        world.add(name)
        for track in ("agent", "customer"):
            world.partial(name, track, "well")
    world.fleet["backlog_seconds"] = 8.0
    page.goto(server.url)
    fleet = page.locator("[data-status=fleet]")
    expect(fleet).to_contain_text("2.0 s behind")
    expect(fleet).to_have_attribute("data-health", "good")
    world.fleet["backlog_seconds"] = 80.0
    expect(fleet).to_contain_text("20 s behind")
    expect(fleet).to_have_attribute("data-health", "late")


def test_the_engine_is_named_in_the_footer(page: Page, server: SyntheticServer, world: World) -> None:
    page.goto(server.url)
    expect(page.get_by_role("contentinfo")).to_contain_text("synthetic")


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
        """What every row says: each is in the page where one has scrolled to it."""
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

    wait_until(equal, page, 20)


def in_sight(page: Page) -> dict[str, tuple[int, str]]:
    """The rows that the window shows, each with its distance from the window's top and its agent."""
    found: dict[str, tuple[int, str]] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("tr[data-call-id]")]
            .map((row) => [row.dataset.callId, row.getBoundingClientRect(), row.querySelector("a").textContent])
            .filter(([, {top, bottom}]) => bottom > 0 && top < innerHeight)
            .map(([id, {top}, agent]) => [id, [top, agent]]))"""
    )
    return found


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
    for y in range(0, deepest + height // 2, height // 2):
        table.evaluate(scroll, y)
        page.wait_for_timeout(30)
        shown = in_sight(page)
        assert len(order(page)) < 60
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
    page.wait_for_timeout(100)
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
