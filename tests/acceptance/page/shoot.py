"""Screenshots of the page with made-up calls: python -m tests.acceptance.page.shoot FOLDER"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.harness.browser import launch
from tests.harness.calls.chatter import Telephony
from tests.harness.calls.synthetic import serving
from tests.harness.calls.world import World


def main(folder: Path, counts: list[int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, launch(playwright) as browser:
        for calls in counts:
            world = World()
            telephony = Telephony(world, calls)
            telephony.warm_up()
            if calls:
                world.end("call-001", ago=30)
            stop = threading.Event()
            threading.Thread(target=telephony.run, args=(1.0, stop), daemon=True).start()
            with serving(world) as server:
                for width, height in ((1440, 900), (390, 844)):
                    for scheme in ("light", "dark"):
                        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                        page.goto(server.url)
                        page.wait_for_timeout(3500)
                        page.screenshot(path=folder / f"{calls}-{width}-{scheme}.png")
                        if calls:
                            page.locator("tr[data-call-id]").first.click(position={"x": 60, "y": 20})
                            page.wait_for_timeout(1200)
                            page.screenshot(path=folder / f"{calls}-{width}-{scheme}-call.png")
                        page.close()
            stop.set()


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(n) for n in sys.argv[2:]] or [0, 5, 300])
