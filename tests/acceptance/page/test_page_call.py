"""An opened call as a supervisor sees it: the conversation, the chart, the files."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.harness.calls.synthetic import SyntheticServer
from tests.harness.calls.talk import talk
from tests.harness.calls.world import World


def test_a_call_is_opened_from_its_row_followed_live_and_closed(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("c1", age=120, agent="Dana Reyes", customer="Kim Lee", queue="billing", caller="+44 1")
    talk(world, "c1")
    page.goto(server.url)
    page.get_by_role("link", name="Dana Reyes").click()
    panel = page.get_by_role("complementary", name="Kim Lee")
    expect(panel).to_be_visible()
    expect(page).to_have_url(re.compile(r"#/calls/c1$"))
    items = panel.locator("ol li")
    expect(items).to_have_count(4)
    expect(items.nth(0)).to_contain_text("customer 0:00")
    expect(items.nth(2)).to_contain_text("angry")
    expect(items.nth(2)).to_contain_text("angry words")

    world.partial("c1", "agent", "let me")
    expect(panel.locator("li.speaking")).to_contain_text("let me")
    world.final("c1", "agent", "let me see", 50.0, 52.0)
    expect(items).to_have_count(5)
    expect(items.nth(4)).to_contain_text("let me see")

    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("link", name="Dana Reyes")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel).to_be_visible()


def test_no_button_moves_under_the_pointer_when_alerts_come(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1", customer="Kim Lee")
    talk(world, "c1", lines=2)
    page.goto(server.url + "#/calls/c1")
    panel = page.get_by_role("complementary", name="Kim Lee")
    expect(panel.locator("ol li")).to_have_count(2)
    buttons = [panel.get_by_role("button", name=name) for name in ("Take", "Acknowledge", "Listen", "Worst moment")]
    stood = [button.bounding_box() for button in buttons]
    for number in range(4):
        said = world.final("c1", "customer", "no", 30.0 + number, 31.0 + number)
        told = ("phrase", f"A reason to be told in many words, number {number}")
        world.score("c1", said, -0.9, 0.9, alert=told, reasons=("angry words",))
    expect(panel.locator("[data-call=why] li")).to_have_count(3)
    expect(panel.locator("[data-call=moreCount]")).to_have_text("1 more")
    assert [button.bounding_box() for button in buttons] == stood


def test_an_ended_call_has_an_address_of_its_own_and_shows_its_summary_when_it_comes(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("c1", age=300, customer="Kim Lee")
    talk(world, "c1")
    world.end("c1", ago=200)
    page.goto(server.url + "#/calls/c1")
    panel = page.get_by_role("complementary", name="Kim Lee")
    expect(panel.locator(".facts")).to_contain_text("ended 1:40")
    expect(panel.get_by_text("Figures", exact=True)).to_be_hidden()
    figures = {"talk_seconds": 8.0, "words_per_minute": 120.0, "longest_monologue_seconds": 3.0, "interruptions": 0}
    talked = {"parties": {"agent": figures, "customer": figures}, "talk_ratio": 0.5, "silence_seconds": 18.0}
    world.sum_up("c1", {"duration_seconds": 34.0, "talk": talked})
    expect(panel.get_by_text("Figures", exact=True)).to_be_visible()
    expect(panel.locator("[data-call=summary]")).to_contain_text("length of the audio0:34")
    expect(panel.get_by_role("row", name="Talk 0:08 0:08")).to_be_visible()
    expect(panel.locator("[data-call=talk]")).to_contain_text("Agent's share of talk50 %")
    panel.get_by_text("About this call").click()
    expect(panel.locator("[data-call=about]")).to_contain_text("c1")


def test_a_call_that_is_not_known_is_said_to_be_so(page: Page, server: SyntheticServer, world: World) -> None:
    page.goto(server.url + "#/calls/nobody")
    expect(page.locator("#call [data-call=note]")).to_contain_text("no such call")


def test_the_worst_moment_and_each_alert_are_one_press_away(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1", age=600, customer="Kim Lee")
    talk(world, "c1", lines=40)
    page.goto(server.url + "#/calls/c1")
    worst = page.locator('li[data-utterance="customer:1"]')
    newest = page.get_by_role("button", name="Newest words")
    expect(page.locator("#call ol li").last).to_be_in_viewport()
    for name in ("Worst moment", "0:24 Asks for a manager"):
        page.get_by_role("button", name=name).click()
        expect(worst).to_be_in_viewport()
        expect(worst).to_be_focused()
        newest.click()
        expect(worst).not_to_be_in_viewport()
    heard = {
        "a line": (worst.locator(".said-by"), 17.0),
        "its time": (worst.get_by_role("button", name="Play from 0:20"), 17.0),
        "a word": (worst.get_by_text("2", exact=True), 18.33),
        "the worst moment": (page.get_by_role("button", name="Worst moment"), 17.0),
        "a finding": (page.get_by_role("button", name="0:24 Asks for a manager"), 21.0),
    }
    for what, second in heard.values():
        with page.expect_request(lambda asked, second=second: f"/audio?from={second}" in asked.url):
            what.click()
    chart = page.get_by_role("img", name=re.compile("Mood over time: .* at 0:24 Asks for a manager"))
    with page.expect_request(re.compile(r"/audio\?from=\d{3}")):
        chart.click()
    assert chart.locator(".dot").count() == 40
    assert chart.locator(".flag").count() == 1


def test_a_raised_call_says_why_in_its_row_and_when_opened(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1", age=600, agent="Dana", customer="Kim Lee")
    said = world.final("c1", "customer", "this is the third time i am calling", 10, 14)
    why = ("“third time”: has called before", "fell from 0.2 to -0.6 in 40 s")
    world.score("c1", said, -0.7, 0.41, why=why, alert=("needs_attention", why[0]), raised=True)
    page.goto(server.url + "#/calls/c1")
    row = page.locator("tbody[data-group=needs] tr[data-call-id=c1]")
    expect(row.locator("[data-field=alerts]")).to_have_text("“third time” has called before")
    expect(row.locator("[data-field=attention]")).to_have_attribute("title", "\n".join(why))
    panel = page.get_by_role("complementary", name="Kim Lee")
    expect(panel.get_by_role("heading", name="Needs attention since 0:14")).to_be_visible()
    expect(panel.locator("[data-call=why] li")).to_have_text(["0:14 “third time” has called before", f"0:14 {why[1]}"])
    world.score("c1", said, -0.1, 0.2, why=why[1:])
    expect(page.locator("tbody[data-group=rest] tr[data-call-id=c1]")).to_have_count(1)
    expect(panel.get_by_role("heading", name="Worth knowing")).to_be_visible()


def test_a_raised_call_tells_the_customers_earlier_calls_and_plays_what_led_to_it(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("old", age=9000, customer="Kim Lee")
    said = world.final("old", "customer", "no", 1, 4)
    world.score("old", said, -0.7, 0.9, alert=("needs_attention", "“no”: refuses"), raised=True)
    world.handle("old", state="taken", by="Tom")
    world.end("old", ago=8000)
    world.add("c1", age=600, customer="Kim Lee")
    said = world.final("c1", "customer", "not again", 30, 34)
    world.score("c1", said, -0.7, 0.9)
    page.goto(server.url + "#/calls/c1")
    with page.expect_request(re.compile(r"/audio\?from=24\.0")):
        page.get_by_role("button", name="Needs attention since 0:34").click()
    earlier = page.locator("#call .earlier")
    expect(earlier).to_contain_text(re.compile("^Earlier calls: .*, angry, needed attention, seen to by Tom$"))
    earlier.get_by_role("link").click()
    expect(page).to_have_url(re.compile("#/calls/old$"))


def test_a_raised_voice_is_marked_in_the_row_beside_the_words_and_on_the_chart(
    page: Page, server: SyntheticServer, world: World
) -> None:
    """The mark is in words each time, so nobody needs colour or sight for it. Calls can be filtered by it."""
    for call_id, agent in (("c1", "Dana Reyes"), ("c2", "Tom Okafor")):
        world.add(call_id, age=60, agent=agent, customer="Kim Lee")
        said = world.final(call_id, "customer", "i have told you this twice", 20.0, 24.0)
        world.score(call_id, said, -0.6, 0.3, loud=call_id == "c1")
    page.goto(server.url)
    row = page.locator('tr[data-call-id="c1"]')
    expect(row.locator("[data-field=customer]")).to_contain_text("raised voice")
    expect(page.locator('tr[data-call-id="c2"]')).not_to_contain_text("raised voice")
    page.get_by_label("State").select_option("Raised voice")
    expect(page.locator("tr[data-call-id]")).to_have_count(1)
    page.get_by_role("link", name="Dana Reyes").click()
    panel = page.get_by_role("complementary", name="Kim Lee")
    expect(panel.locator("ol li").first).to_contain_text("raised voice")
    chart = panel.get_by_role("img", name=re.compile("raised voice at 0:20"))
    expect(chart.locator("path.loud")).to_have_count(1)
    calm = world.final("c1", "customer", "that is all right then", 30.0, 33.0)
    world.score("c1", calm, 0.1, 0.2)
    expect(page.locator("tr[data-call-id]").filter(has_text="raised voice")).to_have_count(0)  # the row may leave, too
    expect(panel.locator("ol li").first).to_contain_text("raised voice")


def test_the_row_says_who_waits_and_whom_the_call_went_to_and_the_opened_call_its_legs(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("c1", age=60, agent="Ann", customer="Kim Lee")
    world.final("c1", "agent", "one moment please", 1.0, 3.0)
    page.goto(server.url)
    row = page.locator('tr[data-call-id="c1"]')
    agent, customer = row.locator("[data-field=agent]"), row.locator("[data-field=customer]")
    world.line("c1", "hold", 5.0, "customer")
    expect(customer).to_contain_text(re.compile(r"on hold ([5-8]\d s|\d min)"))
    expect(row).not_to_contain_text("silent")
    world.line("c1", "mute", 6.0, "agent")
    expect(agent).to_contain_text("mute")
    world.line("c1", "unmute", 6.0, "agent")
    world.line("c1", "resume", 40.0)
    expect(customer).not_to_contain_text("on hold")
    world.line("c1", "transfer", 50.0, to="billing")
    expect(agent).to_contain_text("transferred to billing")
    world.line("c1", "join", 51.0, "agent-2", who="Ben")
    expect(agent).to_contain_text("with Ben")
    world.line("c1", "leave", 55.0, "agent")
    world.final("c1", "agent-2", "ben speaking", 56.0, 58.0)
    expect(agent).to_contain_text("now Ben")
    page.get_by_role("link", name="Ann").click()
    panel = page.get_by_role("complementary", name="Kim Lee")
    expect(panel.locator("ol li").last).to_contain_text("agent-2, Ben")
    expect(panel.locator("ol li").first).not_to_contain_text("Ann")
    panel.get_by_text("About this call").click()
    about = panel.locator("[data-call=about]")
    expect(about).to_contain_text("Ann, 0:00 to 0:55")
    expect(about).to_contain_text("Ben, 0:51 to the end")
    expect(about).to_contain_text("transfer to billing")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (720, 450), (390, 844)])
def test_the_words_have_half_the_height_whatever_was_found(
    page: Page, server: SyntheticServer, world: World, width: int, height: int
) -> None:
    """720 x 450 is a usual laptop at 200 % zoom."""
    page.set_viewport_size({"width": width, "height": height})
    world.add("c1", age=600, agent="Dana Reyes", customer="Kim Lee", queue="billing")
    talk(world, "c1", lines=12)
    for number in range(6):
        said = world.final("c1", "customer", "no", 200.0 + number, 201.0 + number)
        world.score("c1", said, -0.9, 0.9, alert=("phrase", f"“no {number}”: A reason in many words of its own"))
    world.point("c1", "reason", "customer:0")
    world.point("c1", "outcome", "customer:1", "open: the customer asks for somebody in charge")
    page.goto(server.url + "#/calls/c1")
    panel = page.get_by_role("complementary", name="Dana Reyes with Kim Lee")
    expect(panel.locator("[data-call=why] li")).to_have_count(3)
    expect(panel.locator(".gist summary")).to_contain_text("open: the customer asks for somebody in charge")
    words, whole = (panel.get_by_role("region", name="Transcript").bounding_box(), panel.bounding_box())
    assert words
    assert whole
    assert words["height"] >= whole["height"] / 2
    for name in ("Take", "Listen", "Close"):
        expect(panel.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    expect(panel.locator("[data-call=why] button").first).to_be_in_viewport(ratio=1)
    page.get_by_role("region", name="Transcript").evaluate("e => e.scrollTop = 0")
    expect(page.get_by_role("button", name="Newest words")).to_be_in_viewport(ratio=1)
    panel.get_by_text("Notes and tags").click()
    panel.get_by_label("Tag", exact=True).click()  # nothing lies over it
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_a_call_is_about_is_told_while_it_goes_on_and_each_line_leads_to_its_words(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("c1", age=120, customer="Kim Lee")
    talk(world, "c1")
    world.point("c1", "reason", "customer:0")
    page.goto(server.url + "#/calls/c1")
    gist = page.locator("#call .gist")
    expect(gist.locator("summary")).to_contain_text("“line number 0 of this call”")
    gist.locator("summary").click()
    expect(gist.locator("dt")).to_have_text(["Reason"])
    expect(gist.locator("dd")).to_have_text(["“line number 0 of this call”"])
    world.point("c1", "happened", "customer:1", "the customer wants to cancel")
    world.point("c1", "outcome", "customer:1", "open: the customer is unhappy")
    said = world.final("c1", "customer", "one more", 50.0, 52.0)
    world.score("c1", said, -0.5, 0.6)
    expect(gist.locator("dt")).to_have_text(["Reason", "So far", "What happened"])
    gist.get_by_role("button", name="line number 2 of this call").first.click()
    expect(page.locator('li[data-utterance="customer:1"]')).to_be_focused()
    expect(page.locator("#bell [data-bell=list]")).to_contain_text("calls about: “line number 0 of this call”")


def test_a_language_model_s_summary_is_told_apart(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1", age=300, customer="Kim Lee")
    talk(world, "c1")
    world.point("c1", "reason", "customer:0")
    world.end("c1", ago=200)
    written = {
        "model": "m <b>7</b>",
        "reason": "Wants <i>it</i>",
        "happened": "",
        "promises": ["A call"],
        "outcome": "",
    }
    world.sum_up("c1", {"by_model": written})
    page.goto(server.url + "#/calls/c1")
    gist = page.locator("#call .gist")
    gist.locator("summary").click()
    expect(gist.locator("[data-gist=model]")).to_contain_text("Written by a language model (m <b>7</b>)")
    expect(gist.locator("[data-gist=said] dd")).to_have_text(["Wants <i>it</i>", "A call"])
    expect(gist.locator("[data-gist=points] dd")).to_have_text(["“line number 0 of this call”"])
