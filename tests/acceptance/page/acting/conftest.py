"""Two supervisors at their pages: two browsers, a real web process with an archive, a real store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import msgspec
import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from state.archive.opening import Archive
from state.archive.write import write
from state.calls.ingest import Ingest
from state.people.access import Access
from state.settings import Settings
from tests.harness.acting import trouble
from tests.harness.browser import sign_in, watched_page
from tests.harness.calls.reported import call as ended_call
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD
from tests.harness.wall import cell
from tests.harness.web import Web, web_process


@pytest.fixture(scope="package")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    url = f"sqlite:///{folder / 'archive.db'}"
    archive = Archive(url)
    for name, mood in (("lea-1", -0.6), ("lea-2", 0.2)):
        ended = ended_call(name, datetime(2026, 3, 27, 12, tzinfo=UTC), mood=mood)
        write(archive, msgspec.structs.replace(ended, metadata={"customer": "Lea"}), "test")
    archive.close()
    with web_process(valkey.url, folder / "web.log", AUTH="on", DATABASE_URL=url) as web:
        yield web


@pytest.fixture
def calls(store: redis.Redis) -> redis.Redis:
    ingest = Ingest(store, Settings())
    for call_id, agent in (("c1", "Ann"), ("c2", "Bob"), ("c3", "Cat")):
        ingest.create(call_id, ["agent", "customer"], {"agent": agent, "customer": f"Kim {call_id}"})
    trouble(store, "c1", attention=0.9)
    trouble(store, "c2", attention=0.6)
    return store


@pytest.fixture
def desks(browser: Browser, web: Web, calls: redis.Redis) -> Iterator[tuple[Page, Page]]:
    """Dana's page and Tom's, each in a browser profile of its own."""
    pages = []
    with ExitStack() as stack:
        for name in ("dana", "tom"):
            Access(calls).users.add(name, "supervisor", PASSWORD)
            page = stack.enter_context(watched_page(browser, 1440, 900))
            page.goto(web.url)
            sign_in(page, name)
            expect(cell(page, "c1", "agent")).to_contain_text("Ann")
            pages.append(page)
        yield pages[0], pages[1]
