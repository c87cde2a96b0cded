"""In another language no text is left in English. German fits in, and values look as Germans write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import redis
import yaml
from playwright.sync_api import Browser, Page, expect

from state import keys
from state.archive.opening import Archive
from state.archive.write import write
from state.calls.ingest import Ingest
from state.people.access import Access
from state.settings import Settings
from state.types import Alert, Point, Reason, Standing
from state.webhooks.happenings import EVENT_TYPES
from tests.harness import brackets
from tests.harness.browser import DRAWN, complaints, watched_page
from tests.harness.calls.reported import call as ended_call
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD
from tests.harness.web import Web, web_process
from tests.integration.api.test_find import say
from webapp.page.admin import PAGES
from workers.insight.rules.rulefile import STARTER_FILE

NAMES = ("Earshot", "adam", "lee", "127.0.0.1", "CSV", "JSON")
"""Words on the pages that are not the catalogue's. What people say and their names are in capitals here."""

THEIRS = [rule["title"] for rule in yaml.safe_load(STARTER_FILE.read_text())["rules"]]
"""Titles of the product's own rules, which supervisors may change."""

CODES = (
    *sorted(EVENT_TYPES, key=len, reverse=True),
    *("Twilio, SignalWire, Talkdesk", "Telnyx", "Plivo", "FreeSWITCH", "jambonz", "Vonage", "Genesys Cloud"),
    *("pbx", "ann", "Ann Lee", "https://"),
    *("sign-in", "password"),
)
"""Names in the admins' pages: events of the interface, telephony's makers, examples, entries of the audit trail."""

OTHERS = (
    ("/?view=wallboard", "#board .cards li"),
    ("/history#/calls/E0", "#call [data-call=body]"),
    ("/reports", "#plots figure"),
    ("/reviews#/calls/E0", "#call [data-call=body]"),
    ("/agents", "#said"),
    ("/rules", "#list li"),
)
"""Pages, each with a part that shows once its data has come."""


def archived(url: str, ended: int) -> None:
    """Ended calls of yesterday in the database."""
    archive = Archive(url)
    begins = datetime.now(UTC) - timedelta(days=1)
    for number in range(ended):
        one = ended_call(f"E{number}", begins, raised=10.0, taken=20.0, agent="ANN", queue="BILLING", mood=-0.42)
        write(archive, msgspec.structs.replace(one, handling=msgspec.structs.replace(one.handling, by="LEE")), "test")
    archive.close()


def troubled(store: redis.Redis, call_id: str) -> None:
    """A live call that needs somebody, for reasons of every form."""
    Ingest(store, Settings()).create(
        call_id, ["agent", "customer"], {"agent": "ANN", "customer": "KIM", "queue": "BILLING"}
    )
    for index, text in enumerate(("THE PARCEL IS LATE", "MY LAWYER WILL CALL")):
        say(store, call_id, index, text)
    reasons = ("“MY LAWYER”: threatens legal or public steps", "2 unhappy turns in a row", "raised voice since 0:04")
    standing = Standing(
        score=-0.6,
        attention=0.9,
        alerts=[Alert("legal_threat", reasons[0], 12.0), Alert("needs_attention", reasons[0], 12.0)],
        raised=True,
        raised_at=12.0,
        reasons=[Reason(text, 12.0) for text in reasons],
        gist=[
            Point("reason", "", "THE PARCEL", 0.0, ["customer:0"], "customer"),
            Point("outcome", "open: the customer is unhappy", "LAWYER", 10.0, ["customer:1"], "customer"),
        ],
    )
    store.hset(keys.call(call_id), "standing", msgspec.msgpack.encode(standing))


@pytest.fixture(scope="module")
def bracketed(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    brackets.write(folder)
    url = f"sqlite:///{folder / 'archive.db'}"
    archived(url, 1)
    environ = {"AUTH": "on", "DATABASE_URL": url, "BRACKETS": str(folder), "SWITCH": ""}
    with web_process(valkey.url, folder / "web.log", "tests/harness/brackets_conf.py", **environ) as web:
        yield web


COUNTED = """
window.asked = 0;
for (const [of, name] of [[window, "fetch"], [Response.prototype, "json"], [Response.prototype, "text"]]) {
  const ask = of[name];
  of[name] = async function (...more) {
    window.asked += 1;
    try { return await ask.apply(this, more); } finally { window.asked -= 1; }
  };
}
"""
"""Runs in a page before its scripts, and counts the answers that the page waits for."""

SETTLED = f"async () => {{ do await ({DRAWN})(); while (window.asked); }}"
"""Waits until the page has drawn all that it asked for."""


def signed_in(page: Page, web: Web, name: str) -> None:
    page.goto(f"{web.url}/sign-in")
    page.locator("input[name=name]").fill(name)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)


def bare(page: Page, *names: str) -> list[str]:
    """The page's texts that do not come from the catalogue."""
    return list(page.evaluate(brackets.BARE, [brackets.OPEN, brackets.CLOSE, [*NAMES, *names]]))


def test_no_text_of_any_page_stands_outside_of_the_catalogue(
    browser: Browser, bracketed: Web, store: redis.Redis
) -> None:
    Access(store).users.add("lee", "admin", PASSWORD)
    Access(store).users.add("adam", "agent", PASSWORD, agent="ANN")
    troubled(store, "C1")
    left: dict[str, list[str]] = {}

    def look(page: Page, what: str, *names: str) -> None:
        page.evaluate(SETTLED)
        assert page.evaluate("document.documentElement.lang") == brackets.LANGUAGE
        if found := bare(page, *names):
            left[what] = found

    with watched_page(browser, 1440, 900, language="de-DE") as page:
        page.add_init_script(COUNTED)
        for path in ("/sign-in?ended=1", "/enter", "/nothing-here"):
            page.goto(bracketed.url + path)
            look(page, path)
        signed_in(page, bracketed, "lee")
        expect(page.locator("tr[data-call-id=C1]")).to_be_visible()
        look(page, "wall")
        page.locator("tr[data-call-id=C1] a").focus()
        expect(page.locator("#peek")).to_be_visible()
        look(page, "card of an alert")
        page.keyboard.press("Enter")
        expect(page.locator("#call [data-call=list]")).to_contain_text("LAWYER")
        page.locator("[data-desk=take]").click()
        look(page, "opened call")
        for path, shown in OTHERS:
            page.goto("about:blank")  # a change of what follows # alone would load nothing
            page.goto(bracketed.url + path)
            expect(page.locator(shown).first).to_be_visible()
            look(page, path, *THEIRS)
        for name in PAGES:
            page.goto(f"{bracketed.url}/admin/{name}")
            page.wait_for_load_state("load")
            look(page, f"/admin/{name}", *CODES)
        page.goto(f"{bracketed.url}/admin/accounts")
        page.locator("#accounts tbody tr", has_text="adam").locator("button").last.click()
        look(page, "what is asked before an account goes")
    with watched_page(browser, 1440, 900, language="de-DE") as page:
        page.add_init_script(COUNTED)
        signed_in(page, bracketed, "adam")
        look(page, "an agent's own page")

    assert left == {}


@pytest.fixture(scope="module")
def german(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    url = f"sqlite:///{folder / 'archive.db'}"
    archived(url, 2)
    with web_process(valkey.url, folder / "web.log", AUTH="on", DATABASE_URL=url) as web:
        yield web


def fits(page: Page, what: str) -> None:
    """Check that nothing is cut off or sticks out, on a phone and on a desk, and that axe finds nothing."""
    for width, height in ((390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(DRAWN)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{what} at {width}"
        assert page.evaluate(CUT) == [], f"{what} at {width}"
        assert complaints(page) == [], f"{what} at {width}"


CUT = """
() => [...document.querySelectorAll("th, button, summary, legend, h2, nav a, .counts dt")]
  .filter((one) => one.checkVisibility() && !one.title && !one.closest(".unseen, .scroller table, .gist"))
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "visible")
  .map((one) => `${one.textContent.trim()}: ${one.scrollWidth} > ${one.clientWidth}`)
"""
"""Headings and buttons whose words are cut off. Those with the full text as a tooltip do not count, nor quotations."""


def test_a_german_supervisor_sees_german(browser: Browser, german: Web, store: redis.Redis) -> None:
    Access(store).users.add("lee", "admin", PASSWORD)
    troubled(store, "C1")
    with watched_page(browser, 1440, 900, "Europe/Berlin", "de-DE") as page:
        page.goto(f"{german.url}/sign-in?ended=1")
        expect(page.get_by_role("alert")).to_have_text(
            "Sie sind abgemeldet. Melden Sie sich an, dann geht es dort weiter, wo Sie waren."
        )
        fits(page, "sign-in")
        page.get_by_label("Name").fill("lee")
        page.get_by_label("Passwort").fill(PASSWORD)
        page.get_by_role("button", name="Anmelden").click()

        row = page.locator("tr[data-call-id=C1]")
        expect(row).to_contain_text("“MY LAWYER” droht mit Anwalt oder Öffentlichkeit")
        expect(row.locator("[data-field=state]")).to_have_text("laufend")
        expect(row.locator("[data-field=sentiment] .value")).to_have_text("verärgert")
        expect(row.locator("[data-field=sentiment]")).to_have_attribute(
            "title", re.compile(r"^Stimmung −0,60 auf der Skala")
        )
        expect(page.get_by_role("rowgroup").filter(has=row).locator("tr.group")).to_contain_text("Handlungsbedarf")
        fits(page, "the table")
        row.locator("a").focus()
        card = page.locator("#peek")
        expect(card).to_contain_text("“MY LAWYER”: droht mit Anwalt oder Öffentlichkeit, seit 0:12, niemand ist dran")
        expect(card.get_by_role("button", name="Übernehmen")).to_be_visible()
        page.keyboard.press("Enter")
        call = page.locator("#call")
        expect(call.locator("[data-call=since]")).to_have_text("Handlungsbedarf seit 0:12")
        expect(call.get_by_role("button", name="Bestätigen")).to_be_visible()
        fits(page, "the opened call")
        call.get_by_role("button", name="Übernehmen").click()
        expect(call.locator("[data-desk=who]")).to_have_text("Sie sind dran")

        page.goto(f"{german.url}/history?state=ended")
        expect(page.locator("#found")).to_have_text("2 Anrufe")
        expect(page.locator("#calls tbody td").first).to_have_text(re.compile(r"^\d\d\.\d\d\.\d{4}, \d\d:\d\d:\d\d$"))
        fits(page, "the history")
        page.goto(f"{german.url}/history?state=live")
        expect(page.locator("#found")).to_have_text("1 Anruf")
        page.goto(f"{german.url}/reports")
        expect(page.locator("#whole")).to_contain_text("−0,42")
        expect(page.locator("#said")).to_have_text(re.compile("^2 Anrufe vom "))
