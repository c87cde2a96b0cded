"""The page over the whole product: telephony, decoders, sentiment, web process and browser, all of them real."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.harness.calls.engines import MOONSHINE
from tests.harness.fleet import Fleet
from tests.harness.servers import start_server
from tests.harness.wall import DASH, cell, order, wait_until
from tests.harness.web import Web, web_process

WORDS = re.compile(r"\w")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    server = start_server("valkey9", dir=folder)
    fleet = Fleet(server, folder, **MOONSHINE.environ)
    fleet.start("decoder", DECODER_LOOPS="1")
    fleet.start("sentiment")
    yield fleet
    fleet.kill_all()
    server.kill()


@pytest.fixture(scope="module")
def web(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_process(fleet.settings.redis_url, tmp_path_factory.mktemp("web") / "web.log") as web:
        yield web


@pytest.fixture
def desk(browser: Browser, web: Web) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(web.url)
    yield page
    context.close()


def test_a_call_is_followed_from_its_first_words_to_its_end_through_the_death_of_the_web_process(
    fleet: Fleet, web: Web, desk: Page
) -> None:
    telephony = threading.Thread(target=fleet.feed, args=("live-1", MOONSHINE.call()), kwargs={"pause_seconds": 0.7})
    telephony.start()
    expect(cell(desk, "live-1", "state")).to_contain_text("live", timeout=60_000)
    expect(cell(desk, "live-1", "text").locator("em.partial")).to_have_text(WORDS, timeout=60_000)
    expect(cell(desk, "live-1", "text").locator(".final")).to_have_text(WORDS, timeout=60_000)

    web.kill()
    expect(desk.get_by_role("alert")).to_contain_text("Connection lost")
    desk.wait_for_timeout(2000)  # the call goes on meanwhile
    web.start()
    telephony.join()
    fleet.wait_ended(["live-1"])
    expect(cell(desk, "live-1", "state")).to_have_text("ended", timeout=60_000)
    expect(desk.get_by_role("alert")).to_be_hidden()

    told = requests.get(f"{web.url}/v1/calls/live-1", timeout=10).json()
    wait_until(lambda: shown(desk, "live-1") == expected(told), desk)
    assert told["last"]["text"]
    assert order(desk) == ["live-1"]

    cell(desk, "live-1", "agent").click()
    lines = desk.locator("#call ol li:not(.speaking) .words")
    expect(lines).to_have_count(len([one for one in told["utterances"] if one["text"]]))
    assert [" ".join(text.split()) for text in lines.all_text_contents()] == [
        one["text"] for one in told["utterances"] if one["text"]
    ]


def shown(page: Page, call_id: str) -> dict[str, Any]:
    """What a row shows; the unrounded value where the row keeps it."""
    score = cell(page, call_id, "sentiment").get_attribute("data-value") or DASH
    return {
        "state": cell(page, call_id, "state").text_content().strip(),
        "score": score if score == DASH else float(score),
        "attention": float(cell(page, call_id, "attention").get_attribute("data-value") or -1),
        "last": cell(page, call_id, "text").locator("[data-part=final]").text_content(),
        "points": len((cell(page, call_id, "trend").locator("polyline").get_attribute("points") or "").split()),
    }


def expected(call: dict[str, Any]) -> dict[str, Any]:
    """The same, from the answer of GET /v1/calls/{id}."""
    score = call["sentiment"]["score"]
    return {
        "state": call["state"],
        "score": DASH if score is None else score,
        "attention": call["attention"],
        "last": call["last"]["text"],
        "points": len(call["curve"]),
    }
