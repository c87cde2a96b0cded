"""A supervisor listens in: what comes out of the loudspeaker, measured in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from state.calls.ingest import Ingest
from state.people.audit import Audit
from state.settings import Settings
from tests.harness.browser import watched_page
from tests.harness.calls.tones import AGENT_HZ, TAP, Humming, decode, listen, measure
from tests.harness.servers import Server
from tests.harness.wall import wait_until
from tests.harness.web import Web, web_process


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_process(valkey.url, tmp_path_factory.mktemp("web") / "web.log") as web:
        yield web


@pytest.fixture
def ear(browser: Browser) -> Iterator[Page]:
    with watched_page(browser, 1440, 900) as page:
        page.add_init_script(f"({TAP})()")
        yield page


def second_heard(page: Page) -> float:
    return float(page.locator("[data-listen=play]").get_attribute("data-second") or -1)


def test_a_live_call_is_heard_with_less_than_three_seconds_delay_and_scrubbed_back(
    ear: Page, web: Web, store: redis.Redis
) -> None:
    with Humming(Ingest(store, Settings()), "hum", agent="Ann", customer="Kim") as call:
        wait_until(lambda: len(call.ingested) >= 2, ear)
        ear.goto(f"{web.url}/#/calls/hum")
        button = ear.get_by_role("button", name="Listen")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        wait_until(lambda: any(hertz > 0 for _, *both in listen(ear, 0.1) for hertz in both), ear)
        heard = listen(ear, 6)
        left = [hertz for _, hertz, _ in heard]
        assert sum(abs(hertz / AGENT_HZ / 1.02 - 1) < 0.05 for hertz in left) > 0.8 * len(left)
        right = [decode(hertz, len(call.ingested) - 5) for _, _, hertz in heard]
        told = [second for second in right if second is not None]
        assert len(told) > 0.8 * len(heard), "the customer is heard on the right, and only the customer"
        assert told == sorted(told) and len(set(told)) >= 3, "second after second, in order"

        found = measure(heard, call)
        print(found)
        assert found["chunks"] >= 4
        assert found["last_sample_seconds"][1] < 3.0

        place = ear.get_by_role("slider", name="Place in the audio")
        place.evaluate(
            "e => { e.value = 2; e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change')); }"
        )
        wait_until(lambda: 2 <= second_heard(ear) < 4, ear)
        seconds = {decode(hertz, 3) for _, _, hertz in listen(ear, 1)}
        assert seconds & {2, 3}
        expect(place).to_have_attribute("aria-valuetext", re.compile(r"\d+ s ago"))
        ear.get_by_role("button", name="To live").click()
        wait_until(lambda: second_heard(ear) > len(call.ingested) - 4, ear)

        ear.keyboard.press("Escape")
        wait_until(lambda: all(hertz == 0 for _, *both in listen(ear, 0.3) for hertz in both), ear)
    Ingest(store, Settings()).end("hum")
    ear.keyboard.press("Enter")
    expect(ear.locator("#call [data-call=state]")).to_have_text("ending")
    ear.keyboard.press("l")
    ago = ear.locator("[data-listen=ago]")
    expect(ago).to_have_text(re.compile(r"^0:\d\d of 0:\d\d$"))
    expect(ear.get_by_role("button", name="To live")).to_be_hidden()
    wait_until(lambda: any(hertz > 0 for _, *both in listen(ear, 0.3) for hertz in both), ear)
    place.evaluate(
        "e => { e.value = e.max - 1; e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change')); }"
    )
    expect(button).to_have_attribute("aria-pressed", "false")
    assert ("listen", "hum", 1) in [(e.deed.what, e.deed.about, e.count) for e in Audit(store).read("reads", 10)]


def test_a_call_of_which_nothing_is_kept_says_so(ear: Page, web: Web, store: redis.Redis) -> None:
    Ingest(store, Settings()).create("mute", ["customer"], {"agent": "Ann"})
    ear.goto(f"{web.url}/#/calls/mute")
    expect(ear.locator("#call .body")).to_be_visible()
    ear.keyboard.press("l")
    expect(ear.locator("[data-listen=note]")).to_have_text("Earshot has no audio of this call.")
    ear.keyboard.press("l")
    expect(ear.locator("[data-listen=note]")).to_have_text("")
