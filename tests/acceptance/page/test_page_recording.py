"""A recording on the history page: heard from a line on, marked as it plays, drawn with its silences."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Browser, expect

from state.archive.opening import Archive
from state.recording.sounds import Sounds
from tests.harness.browser import complaints, watched_page
from tests.harness.line import Line
from tests.harness.recorded import finish, noise, settings
from tests.harness.servers import Server
from tests.harness.wall import wait_until
from tests.harness.web import Web, web_process
from workers.jobs.assembly import assemble
from workers.sentiment.assessor import Assessor

SAID = "good morning how can i help you today"


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    database, sounds = f"sqlite:///{folder / 'archive.db'}", str(folder / "recordings")
    with valkey.client() as store:
        store.flushall()
        line = Line(store, Assessor(), ["agent", "customer"], settings=settings(sounds))
        for n in range(20):
            for track in ("agent", "customer"):
                line.ingest.put("c", track, None, noise(n))
        line.decode("agent", 2, SAID)
        line.decode("customer", 12, "four zero zero zero zero five six six five five six six five five five six")
        archive = Archive(database)
        finish(store, archive, line)
        assert assemble(store, archive, Sounds(sounds), "c") == "OK"
        archive.close()
    with web_process(valkey.url, folder / "web.log", DATABASE_URL=database, RECORDINGS=sounds) as web:
        yield web


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_a_recording_is_heard_from_a_word_on(
    browser: Browser, web: Web, store: redis.Redis, width: int, height: int
) -> None:
    with watched_page(browser, width, height) as page:
        page.goto(f"{web.url}/history#/calls/c")
        wave = page.get_by_role("img", name=re.compile("^Recording of 0:20: .*silenced: something secret was said"))
        expect(wave).to_be_visible()
        expect(page.locator(".wave .silence")).not_to_have_count(0)
        assert complaints(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_role("button", name="Play from 0:02").click()
        play = page.locator("[data-listen=play]")
        expect(play).to_have_attribute("aria-pressed", "true")
        wait_until(lambda: float(play.get_attribute("data-second") or 0) > 2.0, page)
        expect(page.locator(".words span[data-heard], li[data-heard]").first).to_contain_text(re.compile("good|help"))
        page.get_by_role("combobox", name="Speed").select_option("2")
        page.get_by_role("slider", name="Place in the audio").evaluate(
            "e => { e.value = 15; e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change')); }"
        )
        wait_until(lambda: float(play.get_attribute("data-second") or 0) > 15.0, page)
        wait_until(lambda: play.get_attribute("aria-pressed") == "false", page)  # it has come to its end


def test_the_words_come_along_with_the_sound(browser: Browser, web: Web, store: redis.Redis) -> None:
    with watched_page(browser, 1440, 420) as page:
        page.goto(f"{web.url}/history#/calls/c")
        first = page.locator("li[data-utterance]").first
        expect(first).not_to_be_in_viewport(ratio=0.5)  # the panel begins at the end of the words
        page.get_by_role("slider", name="Place in the audio").evaluate(
            "e => { e.value = 2; e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change')); }"
        )
        expect(first).to_have_attribute("data-heard", "")
        expect(first).to_be_in_viewport(ratio=0.9)
        page.wait_for_timeout(200)
        page.set_viewport_size({"width": 1440, "height": 425})  # as when a late figure changes the room for the words
        page.wait_for_timeout(200)
        expect(first).to_be_in_viewport(ratio=0.9)
