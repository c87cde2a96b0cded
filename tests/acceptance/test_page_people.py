"""The admin pages of accounts, keys, sign-ins and the trail, in a browser, signed in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from state.people.access import Access
from tests.acceptance.test_page_rules import complaints
from tests.harness.browser import watched_page
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD
from tests.harness.web import Web, web_process


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    with web_process(
        valkey.url, folder / "web.log", AUTH="on", DATABASE_URL=f"sqlite:///{folder / 'archive.db'}"
    ) as web:
        yield web


@pytest.fixture
def desk(browser: Browser, web: Web, store: redis.Redis) -> Iterator[Page]:
    """An admin's page, just signed in."""
    Access(store).users.add("lee", "admin", PASSWORD)
    Access(store).users.add("dana", "supervisor", PASSWORD)
    with watched_page(browser, 1440, 900) as page:
        page.set_default_timeout(20_000)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(f"{web.url}/admin")
        page.get_by_label("Name").fill("lee")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        yield page


def looked_at(page: Page, name: str) -> None:
    """Nothing to complain about, wide and narrow, light and dark."""
    for width, height in ((390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert complaints(page) == [], f"{name}, {scheme}"


def test_an_admin_makes_accounts_and_sees_their_password_once(desk: Page, web: Web, store: redis.Redis) -> None:
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
    desk.get_by_label("Name").fill("pbx")
    desk.get_by_role("button", name="Make key").click()
    key = desk.get_by_role("group", name="Shown once").locator("code").inner_text()
    made = Access(store).api_keys.find(key)
    assert made is not None and made.scopes == ("ingest",)
    expect(desk.get_by_role("row", name=re.compile("pbx.*post calls"))).to_be_visible()
    looked_at(desk, "keys")
    desk.get_by_role("button", name="Revoke pbx").click()
    desk.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(desk.get_by_text("pbx is void.")).to_be_visible()

    desk.get_by_role("link", name="Audit trail").click()
    expect(desk.get_by_role("row", name=re.compile("lee account key-revoked pbx"))).to_be_visible()
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


def test_a_supervisor_is_not_let_in(browser: Browser, web: Web, store: redis.Redis) -> None:
    Access(store).users.add("dana", "supervisor", PASSWORD)
    with watched_page(browser, 1440, 900) as page:
        page.goto(f"{web.url}/")
        page.get_by_label("Name").fill("dana")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("link", name="Rules")).to_be_visible()
        expect(page.get_by_role("link", name="Administration")).to_have_count(0)
        answer = page.goto(f"{web.url}/admin/accounts")
        assert answer is not None and answer.status == 403
