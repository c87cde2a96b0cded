"""The system's Chromium, headless."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, ViewportSize, expect

from tests.harness.signing_in import PASSWORD

AXE = Path(__file__).resolve().parents[2] / "webapp" / "node_modules" / "axe-core" / "axe.min.js"
"""The accessibility checker. It runs inside a page."""

DRAWN = "async () => { for (let n = 0; n < 2; n += 1) await new Promise(requestAnimationFrame); }"
"""JavaScript: waits until the page has drawn the last changes of its scripts."""

PATIENCE_MS = 30_000
"""Milliseconds to wait for what a page shows at once on a quiet machine. A test of a promise in seconds measures it."""

expect.set_options(timeout=PATIENCE_MS)

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """Path of the browser. Raises RuntimeError, which says what to install."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        raise RuntimeError("Chromium is missing: install it (Debian: apt-get install chromium) and run again")
    return found


@contextmanager
def launch(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium(), headless=True, args=list(FLAGS))
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def watched_page(
    browser: Browser, width: int, height: int, timezone: str | None = None, language: str = "en-US"
) -> Iterator[Page]:
    """A page in its own profile. Fails at the end if the page threw an error or broke its content policy."""
    size: ViewportSize = {"width": width, "height": height}
    context = browser.new_context(viewport=size, timezone_id=timezone, locale=language)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    try:
        yield page
    finally:
        context.close()
    assert faults == []


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the form that the page shows, and send it."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def complaints(page: Page) -> list[object]:
    """What axe finds wrong with a page's accessibility: each broken rule, and up to three parts that break it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    run = "async () => (await axe.run(document)).violations.map((v) => [v.id, v.nodes.slice(0, 3).map((n) => n.html)])"
    found: list[object] = page.evaluate(run)
    return found
