"""A browser, and a page on a server of made-up calls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.harness.browser import launch, watched_page
from tests.harness.calls.synthetic import SyntheticServer, serving
from tests.harness.calls.world import World


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
    with watched_page(browser, 1440, 900, "Europe/Berlin") as page:
        yield page
