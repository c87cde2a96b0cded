"""scripts/screenshots: takes the pictures of docs/ and the README's film, of the demo calls at their own speed."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from scripts.demo import film
from scripts.machine.programs import READY_SECONDS, ROOT, free_port
from tests.harness.browser import launch

RAISED = 2
"""Number of calls that must need attention when the pictures are taken."""

SETTLE_SECONDS = 4.0
WAIT_SECONDS = 80.0
"""Most seconds to wait for these calls. The first demo calls end after a minute; then there is nothing to see."""

MOST_BYTES = 300_000
DESK: ViewportSize = {"width": 1440, "height": 900}
STAGE: ViewportSize = {"width": 1280, "height": 720}
PHONE: ViewportSize = {"width": 390, "height": 844}


def main(argv: list[str]) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "docs", help="folder for the pictures (docs)")
    options = parser.parse_args(argv)
    options.to.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        environ = {**os.environ, "AUTH": "off"}
        command = [sys.executable, "-m", "scripts.demo.run", "--port", str(port), "--data", data]
        product = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL)
        try:
            shoot(f"http://127.0.0.1:{port}", options.to)
        finally:
            product.send_signal(signal.SIGINT)
            product.wait(60)
    return 0


def shoot(url: str, to: Path) -> None:
    """Wait for the moment and take all pictures of it."""
    wait_for(lambda: ask(url, "/v1/calls")["calls"], READY_SECONDS)
    with sync_playwright() as playwright, launch(playwright) as browser:
        pages = {
            "wall": open_page(browser, url, DESK, "light"),
            "wall-dark": open_page(browser, url, DESK, "dark"),
            "phone": open_page(browser, url, PHONE, "light"),
            "german": open_page(browser, url, DESK, "light", "de-DE"),
            "call": open_page(browser, url, DESK, "light"),
        }
        stage = open_page(browser, url, STAGE, "light")
        stage.evaluate("name => localStorage.setItem('earshot.name', name)", "Dana")
        print(f"film.webp: {film.shoot(stage, lambda: raised(url), to / 'film.webp') // 1000} kB")
        wait_for(lambda: len(raised(url)) >= RAISED, WAIT_SECONDS)
        first = raised(url)[0]
        pages["call"].locator(f'tr[data-call-id="{first}"] a').click()
        pages["call"].get_by_role("button", name="Listen").click()
        pages["german"].locator(f'tr[data-call-id="{first}"] a').click()
        pages["wall"].wait_for_timeout(SETTLE_SECONDS * 1000)
        for name, page in pages.items():
            picture = to / f"{name}.png"
            page.mouse.move(0, 0)
            page.screenshot(path=picture)
            size = picture.stat().st_size
            print(f"{picture.name}: {size // 1000} kB")
            if size > MOST_BYTES:
                raise SystemExit(f"{picture} is larger than {MOST_BYTES} bytes")


def open_page(browser: Browser, url: str, viewport: ViewportSize, scheme: Any, language: str = "en-US") -> Page:
    page = browser.new_page(viewport=viewport, color_scheme=scheme, locale=language)
    page.goto(url)
    return page


def ask(url: str, path: str, put: dict[str, Any] | None = None) -> dict[str, Any]:
    """GET, or PUT a JSON body. {} while nothing answers."""
    body = json.dumps(put).encode() if put else None
    request = urllib.request.Request(
        url + path, body, {"Content-Type": "application/json"}, method="PUT" if put else "GET"
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(json.load(answer))
    except OSError:
        if put:
            raise
        return {"calls": []}


def raised(url: str) -> list[str]:
    """Live calls that need attention, most urgent first."""
    return [call["call_id"] for call in ask(url, "/v1/calls")["calls"] if call["raised"] and call["state"] == "live"]


def wait_for(what: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise SystemExit("screenshots: what the picture should show did not happen")
        time.sleep(0.3)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
