"""The admin pages for setting up and for erasing, in a browser, signed in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Browser, Page, Route, expect

from state import keys
from state.archive.opening import Archive
from state.archive.search import read_call
from state.archive.write import write
from state.people.access import Access
from tests.harness.browser import complaints, sign_in, watched_page
from tests.harness.calls.archived import archived
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD
from tests.harness.web import Web, web_process


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    archive = Archive(f"sqlite:///{tmp_path_factory.mktemp('database') / 'archive.db'}")
    yield archive
    archive.close()


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory, database: Archive) -> Iterator[Web]:
    output = tmp_path_factory.mktemp("web") / "web.log"
    with web_process(valkey.url, output, AUTH="on", DATABASE_URL=str(database._engine.url)) as web:
        yield web


@pytest.fixture
def desk(browser: Browser, web: Web, store: redis.Redis) -> Iterator[Page]:
    """An admin's page, just signed in."""
    Access(store).users.add("lee", "admin", PASSWORD)
    Access(store).users.add("dana", "supervisor", PASSWORD)
    with watched_page(browser, 1440, 900) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(f"{web.url}/admin")
        sign_in(page, "lee")
        yield page


SMALL = """() => [...document.querySelectorAll("button, select, textarea, summary, input:not([type=hidden]), nav a")]
    .filter((one) => one.checkVisibility())
    .filter((one) => (one.closest("label:has(> [type=checkbox])") ?? one).getBoundingClientRect().height < 44)
    .map((one) => one.textContent || one.name)"""
"""JavaScript: what is too low for a finger."""

OUT_OF_SIGHT = """() => [...document.querySelectorAll("td, td button")]
    .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth)
    .map((one) => one.textContent)"""
"""JavaScript: what of a table one must scroll to the side for."""


def looked_at(page: Page, name: str) -> None:
    """Check that the page fits and axe finds nothing, and that a phone shows whole rows, with targets for fingers."""
    for width, height in ((390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
        if width == 390:
            assert page.evaluate(SMALL) == [], name
            assert page.evaluate(OUT_OF_SIGHT) == [], name
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert complaints(page) == [], f"{name}, {scheme}"


def test_a_form_waits_for_the_script_that_handles_it(desk: Page, web: Web) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    desk.route("**/js/admin/accounts.js", hold)
    desk.goto(f"{web.url}/admin/accounts", wait_until="commit")
    desk.wait_for_selector("form#add[inert]", state="attached")
    desk.evaluate("() => document.querySelector('#add button').focus()")
    desk.keyboard.press("Enter")
    expect(desk).to_have_url(f"{web.url}/admin/accounts")
    held[0].continue_()
    form = desk.get_by_role("form", name="A new account")
    form.get_by_label("Name").fill("kim")
    form.get_by_role("button", name="Make account").click()
    expect(desk.get_by_role("group", name="Shown once")).to_be_focused()


def test_an_admin_makes_accounts_and_sees_their_password_once(desk: Page, web: Web, store: redis.Redis) -> None:
    desk.get_by_role("link", name="Accounts").click()
    form = desk.get_by_role("form", name="A new account")
    form.get_by_label("Name").fill("kim")
    form.get_by_role("button", name="Make account").click()
    once = desk.get_by_role("group", name="Shown once")
    expect(once).to_be_focused()
    password = once.locator("code").inner_text()
    once.get_by_role("button", name="Copy").click()
    expect(once.get_by_role("button", name="Copied")).to_be_visible()
    assert desk.evaluate("navigator.clipboard.readText()") == password
    assert Access(store).users.check("kim", password)
    looked_at(desk, "accounts")

    expect(desk.get_by_role("button", name="Remove lee")).to_have_count(0)
    desk.get_by_role("button", name="Make admin: dana").click()
    sure = desk.get_by_role("dialog", name="Make dana admin?")
    assert complaints(desk) == []
    sure.get_by_role("button", name="Cancel").click()
    desk.get_by_role("button", name="Remove dana").click()
    desk.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(desk.get_by_text("dana is removed.")).to_be_visible()
    expect(desk.locator("#accounts tbody tr")).to_have_count(2)
    desk.reload()
    expect(desk.locator("#accounts tbody tr")).to_have_count(2)
    expect(desk.get_by_text(password)).to_have_count(0)


def test_an_admin_makes_and_revokes_keys_ends_sign_ins_and_finds_it_in_the_trail(
    desk: Page, web: Web, store: redis.Redis
) -> None:
    desk.get_by_role("link", name="API keys").click()
    desk.get_by_placeholder("pbx").fill("pbx")
    desk.get_by_role("button", name="Make key").click()
    key = desk.get_by_role("group", name="Shown once").locator("code").inner_text()
    made = Access(store).api_keys.find(key)
    assert made is not None and made.scopes == ("ingest",)
    expect(desk.get_by_role("row", name=re.compile("pbx.*post calls"))).to_be_visible()
    looked_at(desk, "keys")
    desk.get_by_role("button", name="Revoke pbx").click()
    desk.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(desk.get_by_text("pbx is revoked.")).to_be_visible()

    desk.get_by_role("link", name="Audit trail").click()
    expect(desk.get_by_role("row", name=re.compile("lee account revoked a key pbx"))).to_be_visible()
    looked_at(desk, "audit")
    desk.get_by_label("What").fill("key-made")
    desk.get_by_role("button", name="Show").click()
    expect(desk.locator("#entries tbody tr")).to_have_count(1)
    with desk.expect_download() as file:
        desk.get_by_role("link", name="CSV").click()
    lines = file.value.path().read_text().splitlines()
    assert len(lines) == 2 and "key-made,pbx" in lines[1]

    desk.get_by_role("link", name="Sign-ins").click()
    expect(desk.get_by_role("row", name=re.compile("lee admin"))).to_be_visible()
    looked_at(desk, "sessions")
    desk.get_by_role("button", name="Sign out lee").click()
    desk.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(desk).to_have_url(re.compile(r"/sign-in\?.*next=%2Fadmin%2Fsessions"))


def test_an_admin_sees_what_will_go_erases_it_and_has_the_proof(
    desk: Page, web: Web, store: redis.Redis, database: Archive
) -> None:
    for call in (archived(0, "stays"), archived(1, "goes"), archived(2, "goes, too", caller="+15551")):
        write(database, call, "test")
    desk.get_by_role("link", name="Erasing").click()
    expect(desk.get_by_text("There is none.")).to_be_visible()
    look = desk.get_by_role("form", name="What is to go")
    look.get_by_label("Name or number").fill("+15551")
    look.get_by_role("button", name="See what will go").click()
    expect(desk.get_by_role("heading", name="2 calls of +15551 will go")).to_be_focused()
    expect(desk.locator("#calls tbody tr")).to_have_count(2)
    looked_at(desk, "erasing")

    desk.get_by_label("Or keep it, because").fill("at court")
    desk.get_by_role("button", name="Make a legal hold").click()
    expect(desk.get_by_text("A legal hold on customer +15551 forbids it: at court")).to_be_visible()
    expect(desk.get_by_role("button", name="Erase 2 calls")).to_be_disabled()
    desk.get_by_role("button", name="Take back").click()
    desk.get_by_role("dialog").get_by_role("button", name="Take back").click()
    erase = desk.get_by_role("button", name="Erase 2 calls")
    expect(erase).to_be_enabled()
    erase.click()
    desk.get_by_role("dialog", name="Erase 2 calls for good?").get_by_role("button", name="Erase").click()
    expect(desk.get_by_text("2 calls erased.")).to_be_visible()
    expect(desk.get_by_role("row", name=re.compile("lee erased a2 from database"))).to_be_visible()
    expect(desk.locator("#entries tbody tr")).to_have_count(2)
    assert read_call(database, "a1") is None and read_call(database, "a0") is not None
    looked_at(desk, "proof")


def test_an_admin_says_how_long_words_are_kept(desk: Page, web: Web, store: redis.Redis) -> None:
    desk.get_by_role("link", name="Queues").click()
    expect(desk.get_by_role("row", name="all others for ever (the server's setting) not recorded")).to_be_visible()
    desk.get_by_label("Queue, as telephony names it").fill("sales")
    desk.get_by_label("Days for words").fill("30")
    desk.get_by_role("button", name="Keep so").click()
    desk.get_by_role("dialog", name="Keep words of sales for 30 days?").get_by_role("button", name="Keep so").click()
    expect(desk.get_by_role("row", name=re.compile("sales 30 days not recorded"))).to_be_visible()
    expect(desk.get_by_text("Words of sales are kept for 30 days now.")).to_be_visible()
    assert store.hgetall(keys.QUEUES) == {b"sales": b"30"}
    looked_at(desk, "queues")
    desk.get_by_role("button", name="As the server says: sales").click()
    expect(desk.get_by_text("The server's setting holds for sales again.")).to_be_visible()
    assert store.hgetall(keys.QUEUES) == {}


def test_the_first_call_is_three_steps_away(desk: Page, web: Web, store: redis.Redis) -> None:
    expect(desk.get_by_role("heading", name="Earshot · First call")).to_be_visible()
    expect(desk.get_by_text("Waiting for audio…")).to_be_visible()
    desk.get_by_role("button", name="Make key").click()
    key = desk.get_by_role("group", name="Shown once").locator("code").inner_text()
    expect(desk.get_by_text(f"--url {web.url} --key {key}")).to_be_visible()
    expect(desk.get_by_text("Only this machine reaches that address")).to_be_visible()
    desk.get_by_label("Earshot's address").fill("https://calls.example/")
    expect(desk.get_by_text("Only this machine reaches that address")).to_be_hidden()
    desk.get_by_label("You have").select_option(label="jambonz")
    desk.locator(".system:visible").get_by_role("button", name="Copy").click()
    expect(desk.locator(".system:visible").get_by_role("button", name="Copied")).to_be_visible()
    copied = desk.evaluate("navigator.clipboard.readText()")
    assert '"wss://calls.example/v1/streams/audio"' in copied and f'"password": "{key}"' in copied
    looked_at(desk, "begin")

    base, sender = f"{web.url}/v1/calls/first", {"Authorization": f"Bearer {key}"}
    audio = {"headers": {**sender, "Content-Type": "audio/PCMU"}, "data": bytes(8000)}
    assert desk.request.put(f"{base}/tracks/customer/chunks/1", **audio).status == 202
    expect(desk.get_by_text("Audio of 1 call arrives.")).to_be_visible()
    expect(desk.get_by_role("row", name="first customer customer: 1 chunk")).to_be_visible()


def test_a_long_list_is_narrowed_to_the_rows_with_the_words(desk: Page, web: Web, store: redis.Redis) -> None:
    desk.goto(f"{web.url}/admin/keys")
    expect(desk.get_by_text("There is none yet.")).to_be_visible()
    for n in range(25):
        Access(store).api_keys.add(f"key{n:02d}", ("read",) if n % 2 else ("ingest",))
    desk.reload()
    rows = desk.locator("#keys tbody tr:visible")
    expect(rows).to_have_count(25)
    field = desk.get_by_role("searchbox", name="Find in this list")
    field.fill("Key1 read")
    expect(rows).to_have_count(5)
    expect(desk.get_by_text("5 of 25")).to_be_visible()
    field.fill("revoke")
    expect(rows).to_have_count(0)  # a word on every row's button
    field.fill("key13")
    desk.get_by_role("button", name="Revoke key13").click()
    desk.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(desk.get_by_text("key13 is revoked.")).to_be_visible()
    expect(rows).to_have_count(0)
    field.fill("")
    expect(rows).to_have_count(24)
    looked_at(desk, "many keys")


def test_a_supervisor_is_not_let_in(browser: Browser, web: Web, store: redis.Redis) -> None:
    Access(store).users.add("dana", "supervisor", PASSWORD)
    with watched_page(browser, 1440, 900) as page:
        page.goto(f"{web.url}/")
        sign_in(page, "dana")
        page.locator("#pages summary").click()
        expect(page.get_by_role("link", name="Rules")).to_be_visible()
        expect(page.get_by_role("link", name="Administration")).to_have_count(0)
        answer = page.goto(f"{web.url}/admin/accounts")
        assert answer is not None and answer.status == 403
