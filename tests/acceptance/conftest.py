"""A browser, and a page on a server of made-up calls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.acceptance.browser import launch
from tests.acceptance.synthetic import SyntheticServer, World, serving


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, launch(playwright) as browser:
        yield browser


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def server(world: World) -> Iterator[SyntheticServer]:
    with serving(world) as server:
        yield server


@pytest.fixture
def page(browser: Browser, server: SyntheticServer) -> Iterator[Page]:
    """A page in its own profile. A test fails if the page threw an error or broke its content policy."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="Europe/Berlin")
    page = context.new_page()
    page.set_default_timeout(10_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()
    assert faults == []
