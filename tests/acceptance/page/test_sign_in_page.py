"""Signing in, in a real browser, at a real web process; and the API's document under the strict content policy."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Browser, Page, Route, expect

from state.calls.ingest import Ingest
from state.people.access import Access
from state.settings import Settings
from tests.harness.browser import sign_in, watched_page
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD
from tests.harness.wall import wait_until
from tests.harness.web import Web, web_process


@pytest.fixture(scope="module")
def running(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_process(valkey.url, tmp_path_factory.mktemp("web") / "web.log", AUTH="on") as web:
        yield web


@pytest.fixture
def web(running: Web, store: redis.Redis) -> Web:
    Access(store).users.add("dana", "supervisor", PASSWORD)
    Ingest(store, Settings()).create("call-1", ["customer"], {"agent": "Ann Marker"})
    return running


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    with watched_page(browser, 1280, 800) as page:
        yield page


def test_a_supervisor_signs_in_follows_the_calls_and_is_told_when_the_session_ends(
    tab: Page, web: Web, store: redis.Redis
) -> None:
    tab.goto(f"{web.url}/?view=x")
    expect(tab).to_have_url(re.compile(r"/sign-in\?next="))
    expect(tab.get_by_label("Name")).to_be_focused()
    sign_in(tab, "dana", "wrong")
    expect(tab.get_by_role("alert")).to_contain_text("Wrong name or password")
    expect(tab.get_by_label("Name")).to_have_value("dana")
    expect(tab.get_by_label("Password")).to_be_focused()
    tab.keyboard.type(PASSWORD)
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(f"{web.url}/?view=x")
    tab.locator('tr[data-call-id="call-1"]').click()
    expect(tab.get_by_role("complementary", name="Ann Marker")).to_be_visible()

    Access(store).users.set_password("dana", "another password of hers")
    tab.keyboard.press("t")  # this, or the page by itself, leads to the sign-in
    expect(tab.get_by_role("alert")).to_contain_text("You are signed out")
    sign_in(tab, "dana", "another password of hers")
    expect(tab).to_have_url(f"{web.url}/?view=x#/calls/call-1")
    expect(tab.get_by_role("complementary", name="Ann Marker")).to_be_visible()
    tab.locator("#pages summary").click()
    tab.get_by_role("button", name="Sign out").click()
    expect(tab).to_have_url(f"{web.url}/sign-in")
    tab.go_back()
    expect(tab.get_by_label("Password")).to_be_visible()


def test_a_slow_sign_in_is_waited_for(tab: Page, web: Web, store: redis.Redis) -> None:
    """While the form is on its way, the page keeps asking who is signed in. It must not open the form again."""
    tab.goto(web.url)
    sign_in(tab, "dana")
    expect(tab.locator('tr[data-call-id="call-1"]')).to_be_visible()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    tab.route(re.compile("/sign-in"), hold)
    asked: list[str] = []
    tab.on("response", lambda answer: asked.append(answer.url) if answer.status == 401 else None)
    Access(store).users.set_password("dana", "another password of hers")
    wait_until(lambda: len(asked) >= 3, tab)
    assert len(held) == 1
    held[0].continue_()
    expect(tab.get_by_role("alert")).to_contain_text("You are signed out")


def test_the_document_can_be_read_and_every_link_in_it_leads_somewhere(tab: Page, web: Web) -> None:
    tab.goto(f"{web.url}/docs")
    expect(tab.get_by_role("heading", name="PUT /v1/calls/{call_id}/tracks/{track}/chunks/{seq}")).to_be_visible()
    expect(tab.locator("#read_audit")).to_contain_text("Needs: a sign-in with the scope admin")
    dead = tab.eval_on_selector_all(
        'a[href^="#"]', "links => links.map(link => link.hash).filter(hash => !document.getElementById(hash.slice(1)))"
    )
    assert dead == []
    assert tab.locator("main").evaluate("main => main.scrollWidth <= main.clientWidth"), "nothing is cut off"
