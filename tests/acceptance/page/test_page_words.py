"""The words of an opened call: read while they come, by confidence, copied, complete after a lost link."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.harness.calls.synthetic import SyntheticServer
from tests.harness.calls.talk import talk
from tests.harness.calls.world import World


def test_who_reads_on_top_is_left_there_and_who_reads_at_the_end_is_taken_along(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("c1", age=600, customer="Kim Lee")
    talk(world, "c1", lines=40)
    page.goto(server.url + "#/calls/c1")
    last = page.locator("#call ol li").last
    expect(last).to_be_in_viewport()
    world.final("c1", "customer", "one more thing", 500.0, 501.0)
    expect(last).to_contain_text("one more thing")
    expect(last).to_be_in_viewport()

    scroller = page.get_by_role("region", name="Transcript")
    scroller.evaluate("e => e.scrollTop = 0")
    newest = page.get_by_role("button", name="Newest words")
    expect(newest).to_be_visible()
    world.final("c1", "customer", "and another", 510.0, 511.0)
    expect(last).to_contain_text("and another")
    assert scroller.evaluate("e => e.scrollTop") == 0
    newest.click()
    expect(last).to_be_in_viewport()
    expect(newest).to_be_hidden()


def test_words_are_coloured_by_confidence_on_demand(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1", customer="Kim Lee")
    talk(world, "c1")
    page.goto(server.url + "#/calls/c1")
    unsure = page.locator('#call [data-conf="low"], #call [data-conf="fair"]').first
    style = "e => getComputedStyle(e).textDecorationLine"
    expect(unsure).to_be_visible()
    assert unsure.evaluate(style) == "none"
    page.get_by_text("More", exact=True).click()
    button = page.get_by_role("button", name="Mark unsure words")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert unsure.evaluate(style) == "underline"


def test_the_transcript_is_copied_and_downloaded_in_every_form(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("c1", customer="Kim Lee")
    talk(world, "c1")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(server.url + "#/calls/c1")
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Copy the words").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "[0:20] customer: line number 2 of this call" in page.evaluate("navigator.clipboard.readText()")

    for name, form in (("text", "txt"), ("JSON", "json"), ("CSV", "csv"), ("WebVTT", "vtt"), ("SRT", "srt")):
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Download as {name}").click()
        assert download.value.suggested_filename == f"c1.{form}"
        body = Path(download.value.path()).read_text()
        assert "line number 2 of this call" in body
        if form == "json":
            assert json.loads(body)["call_id"] == "c1"


def test_a_lost_link_leaves_no_hole_in_the_opened_call(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1", customer="Kim Lee")
    talk(world, "c1")
    page.goto(server.url + "#/calls/c1")
    items = page.locator("#call ol li")
    expect(items).to_have_count(4)
    world.refusing = True
    server.drop_links()
    world.final("c1", "customer", "while you were away", 60.0, 61.0)
    with world.lock:
        del world.feed[:]  # too long ago for the feed, so only a snapshot helps
    world.refusing = False
    expect(items).to_have_count(5)
    expect(items.last).to_contain_text("while you were away")


def test_while_the_link_is_down_the_opened_calls_clock_stands_still(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("c1", customer="Kim Lee", age=60)
    page.goto(server.url + "#/calls/c1")
    duration = page.locator("#call [data-call=duration]")
    expect(page.locator('tr[data-call-id="c1"]')).to_be_visible()
    world.refusing = True
    server.drop_links()
    expect(page.get_by_role("alert")).to_contain_text("Connection lost")
    page.wait_for_timeout(1200)  # the clock may still tick once
    stopped = duration.text_content()
    page.wait_for_timeout(2500)
    assert duration.text_content() == stopped
    world.refusing = False
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(duration).not_to_have_text(str(stopped))


def test_words_in_an_opened_call_are_never_taken_for_markup(page: Page, server: SyntheticServer, world: World) -> None:
    hostile = "<img src=x onerror='document.title=1'><script>document.title=1</script>"
    world.add("c1", 0.0, customer=hostile, agent=hostile, **{"<b>key</b>": hostile})
    said = world.final("c1", "customer", hostile, 0.0, 1.0)
    world.score("c1", said, -0.5, 0.1, alert=("x", hostile), reasons=(hostile,))
    world.end("c1")
    world.sum_up("c1", {"<b>worst</b>": hostile})
    page.goto(server.url + "#/calls/c1")
    world.partial("c1", "agent", hostile)
    expect(page.locator("#call ol li").first).to_contain_text("<img")
    expect(page.locator("li.speaking")).to_contain_text(hostile)
    page.get_by_text("About this call").click()
    expect(page.locator("[data-call=about]")).to_contain_text("<b>key</b>")
    assert page.locator("#call img, #call script, #call dl b").count() == 0
    expect(page).to_have_title("Earshot")
