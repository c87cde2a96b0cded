"""The live table in a browser: its parts, and how a test waits for them."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page

from tests.harness.browser import PATIENCE_MS
from tests.harness.calls.world import World

DASH = "–"


def cell(page: Page, call_id: str, field: str) -> Locator:
    return page.locator(f'tr[data-call-id="{call_id}"] [data-field={field}]')


def order(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all("tr[data-call-id]", "rows => rows.map(row => row.dataset.callId)")
    return found


def count(page: Page, name: str) -> Locator:
    return page.locator(f"[data-status=count-{name}]")


def banner(page: Page) -> Locator:
    return page.get_by_role("alert")


def wait_until(condition: Callable[[], bool], page: Page) -> None:
    end = time.monotonic() + PATIENCE_MS / 1000
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE_MS // 1000} s in vain"
        page.wait_for_timeout(50)


def troubled(world: World, call_id: str, attention: float = 0.9) -> None:
    """The customer of this call says something alarming."""
    said = world.final(call_id, "customer", "i want your manager", 1.0, 3.0)
    world.score(call_id, said, -0.7, attention, trend=-0.3, alert=("phrase", "Asks for a manager"))


IN_SIGHT = """() => Object.fromEntries([...document.querySelectorAll("tr[data-call-id]")]
    .map((row) => [row.dataset.callId, row.getBoundingClientRect(), row.querySelector("a").textContent])
    .filter(([, {top, bottom}]) => bottom > 0 && top < innerHeight)
    .map(([id, {top}, agent]) => [id, [top, agent]]))"""


def in_sight(page: Page) -> dict[str, tuple[int, str]]:
    """The rows in the window, each with its distance from the window's top and its agent."""
    found: dict[str, tuple[int, str]] = page.evaluate(IN_SIGHT)
    return found


def three_calls(world: World) -> None:
    world.add("c1", age=300, agent="Dana", queue="billing", customer="Kim")
    world.add("c2", age=200, agent="Tom", queue="cards", customer="Ana")
    world.add("c3", age=100, agent="Dana", queue="cards", customer="Bo")
    for name, polarity in (("c1", 0.5), ("c3", -0.3)):
        world.score(name, world.final(name, "customer", f"words of {name}", 0.0, 1.0), polarity, 0.1)
    troubled(world, "c2")
