"""The page over a cluster: when a master is away, it says which calls stand still, and the others go on."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, expect

from state.calls.ingest import Ingest
from state.server.opening import open_shards
from state.server.shards import Shard, Shards
from state.server.slots import slot
from state.settings import Settings
from tests.harness.browser import watched_page
from tests.harness.cluster import Cluster
from tests.harness.page import Page
from tests.harness.servers import Server
from tests.harness.wall import banner, cell, order
from tests.harness.web import wait_until, web_process

PATIENCE_MS = 60_000


def call_of(shards: Shards, shard: Shard) -> str:
    """The id of a call that belongs to the shard."""
    return next(f"call-{n}" for n in range(10_000) if shards.of(f"call-{n}") is shard)


def test_calls_of_a_master_that_is_away_are_grey_and_the_others_go_on(
    browser: Browser, valkey: Server, tmp_path: Path
) -> None:
    valkey.client().flushall()
    with (
        Cluster(tmp_path / "cluster", replicas=0) as cluster,
        web_process(cluster.url, tmp_path / "web.log", JOBS_REDIS_URL=valkey.url) as web,
        watched_page(browser, 1440, 900) as page,
        ExitStack() as stack,
    ):
        settings = Settings(redis_url=cluster.url, jobs_redis_url=valkey.url)
        shards = open_shards(settings, "web")
        ingest = Ingest(shards, settings)
        node = cluster.owner(slot(shards[0].keys.tag))
        assert node is not None
        other = next(shard for shard in shards if cluster.owner(slot(shard.keys.tag)) is not node)
        still, going = call_of(shards, shards[0]), call_of(shards, other)
        ingest.create(still, ["customer"], {"agent": "Ann Still", "customer": "Kim Lee"})
        ingest.create(going, ["customer"], {"agent": "Bob Going", "customer": "Lee Kim"})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(web.url)
        rows = {call_id: page.locator(f'tr[data-call-id="{call_id}"]') for call_id in (still, going)}
        for row in rows.values():
            expect(row).to_be_visible(timeout=PATIENCE_MS)
            expect(row).to_have_attribute("data-away", "no", timeout=PATIENCE_MS)

        node.pause()
        expect(rows[still]).to_have_attribute("data-away", "yes", timeout=PATIENCE_MS)
        expect(rows[going]).to_have_attribute("data-away", "no", timeout=PATIENCE_MS)
        expect(banner(page)).to_have_text(
            re.compile(r"^4 of the store's 12 parts do not answer: the grey calls are as of \d.*\.$"),
            timeout=PATIENCE_MS,
        )
        looks = """row => [getComputedStyle(row).filter,
            getComputedStyle(row.querySelector(".state"), "::after").content]"""
        assert rows[still].evaluate(looks) == ["grayscale(1)", '" (old)"']
        assert rows[going].evaluate(looks) == ["none", "none"]
        ingest.end(going)
        expect(cell(page, going, "state")).to_have_text("ended", timeout=PATIENCE_MS)
        expect(cell(page, still, "state")).to_have_text("live", timeout=PATIENCE_MS)
        late = stack.enter_context(Page(web.url))
        wait_until(lambda: late.snapshots, "a page that comes now has its table")
        assert late.calls == [going]
        node.resume()
        wait_until(lambda: sorted(late.calls) == sorted(rows), "it has the others when their part is back")
        expect(rows[still]).to_have_attribute("data-away", "no", timeout=PATIENCE_MS)
        expect(banner(page)).to_contain_text("no decoder is running", timeout=PATIENCE_MS)
        ingest.end(still)
        expect(cell(page, still, "state")).to_have_text("ended", timeout=PATIENCE_MS)
        assert sorted(order(page)) == sorted(rows)
        shards.close()
