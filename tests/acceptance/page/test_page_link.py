"""When the link, the server or the fleet fails, the live table says so, and nothing is missing afterwards."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.harness.calls.synthetic import SyntheticServer
from tests.harness.calls.world import World
from tests.harness.wall import banner, cell, count, in_sight, order, troubled, wait_until


def test_a_dropped_link_is_announced_and_made_good_without_a_hole(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("c1")
    world.add("c2")
    page.goto(server.url)
    world.partial("c1", "customer", "before")
    expect(cell(page, "c1", "text")).to_contain_text("before")

    world.refusing = True
    server.drop_links()
    expect(banner(page)).to_contain_text("Connection lost")
    expect(page.get_by_text("All quiet.")).to_be_hidden()
    page.wait_for_timeout(1200)  # the clock may still tick once
    stopped = cell(page, "c1", "duration").text_content()
    page.wait_for_timeout(1500)
    assert cell(page, "c1", "duration").text_content() == stopped
    troubled(world, "c2")
    world.end("c1")
    world.add("c3", agent="New One")
    world.refusing = False
    expect(cell(page, "c3", "agent")).to_contain_text("New One")
    expect(cell(page, "c1", "state")).to_have_text("ended")
    expect(cell(page, "c2", "alerts")).to_contain_text("Asks for a manager")
    expect(banner(page)).to_be_hidden()


def test_after_an_absence_longer_than_the_feed_the_table_equals_the_servers(
    page: Page, server: SyntheticServer, world: World
) -> None:
    world.add("gone")
    world.add("stays", agent="Old Name")
    page.goto(server.url)
    expect(cell(page, "stays", "agent")).to_contain_text("Old Name")
    world.refusing = True
    server.drop_links()
    with world.lock:
        del world.calls["gone"]
        world.calls["stays"]["metadata"] = {"agent": "New Name"}
        for _ in range(5):
            world.partial("stays", "agent", "hello")
        del world.feed[:-1]
    world.refusing = False
    expect(cell(page, "stays", "agent")).to_contain_text("New Name")
    wait_until(lambda: order(page) == ["stays"], page)


def test_a_laptop_that_slept_for_an_hour_shows_the_present_calls_when_it_wakes(
    page: Page, server: SyntheticServer, world: World
) -> None:
    dead: set[WebSocketRoute] = set()
    links: list[WebSocketRoute] = []

    def carry(link: WebSocketRoute) -> None:
        behind = link.connect_to_server()
        links.append(link)
        link.on_message(lambda said: None if link in dead else behind.send(said))
        behind.on_message(lambda said: None if link in dead else link.send(said))

    page.route_web_socket(re.compile("socket.io"), carry)
    page.clock.install()
    world.add("gone", agent="Dana")
    world.add("stays", agent="Old Name")
    page.goto(server.url)
    expect(cell(page, "stays", "agent")).to_contain_text("Old Name")
    page.clock.pause_at(time.time() + 5)
    dead.update(links)  # nobody tells a sleeping machine that its link has gone
    with world.lock:
        del world.calls["gone"]
        world.calls["stays"]["metadata"] = {"agent": "New Name"}
    world.add("new", agent="Mia")
    troubled(world, "new")
    del world.feed[:-1]
    page.clock.fast_forward("01:00:00")
    page.clock.resume()
    wait_until(lambda: order(page) == ["new", "stays"], page)
    expect(cell(page, "stays", "agent")).to_contain_text("New Name")
    expect(count(page, "needs")).to_have_text("1")
    expect(banner(page)).to_be_hidden()
    world.partial("stays", "customer", "good morning")
    expect(cell(page, "stays", "text")).to_contain_text("good morning")
    assert len(links) == 2, "one new link"


def test_a_batch_that_was_lost_on_the_way_is_fetched(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1")
    page.goto(server.url)
    expect(count(page, "live")).to_have_text("1")
    world.lose_batches = 1
    troubled(world, "c1")
    wait_until(lambda: world.lose_batches == 0, page)
    world.partial("c1", "agent", "one moment")
    expect(cell(page, "c1", "text")).to_contain_text("one moment")
    expect(cell(page, "c1", "alerts")).to_contain_text("Asks for a manager")


def test_silence_of_the_server_is_announced_with_its_age(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1")
    page.goto(server.url)
    expect(page.locator("[data-status=decoders]")).to_have_attribute("title", "2 decoders at work")
    world.silent = True
    expect(banner(page)).to_contain_text(re.compile(r"stopped reporting\. .* ([7-9]|\d\d) s ago"))
    world.silent = False
    expect(banner(page)).to_be_hidden()


def test_no_decoder_is_said_aloud_and_moves_no_row(page: Page, server: SyntheticServer, world: World) -> None:
    world.add("c1")
    page.goto(server.url)
    expect(cell(page, "c1", "agent")).to_be_visible()
    stood = in_sight(page)
    world.fleet["decoders"] = 0
    expect(banner(page)).to_contain_text("no decoder is running")
    assert in_sight(page) == stood


def test_the_fleets_backlog_is_told_as_what_a_line_feels(page: Page, server: SyntheticServer, world: World) -> None:
    for name in ("c1", "c2"):
        world.add(name)
        for track in ("agent", "customer"):
            world.partial(name, track, "well")
    world.fleet["backlog_seconds"] = 8.0
    page.goto(server.url)
    fleet = page.locator("[data-status=fleet]")
    expect(fleet).to_contain_text("2.0 s behind")
    expect(fleet).to_have_attribute("data-health", "good")
    world.fleet["backlog_seconds"] = 80.0
    expect(fleet).to_contain_text("20 s behind")
    expect(fleet).to_have_attribute("data-health", "late")


def test_the_engine_is_named_in_the_footer(page: Page, server: SyntheticServer, world: World) -> None:
    page.goto(server.url)
    expect(page.get_by_role("contentinfo")).to_contain_text("synthetic")
