"""The README's moving picture: a call turns bad, rises, is opened, heard and taken."""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Page

SECONDS = 15.0
BEFORE_SECONDS = 6.0
"""Seconds of the film before the call needs attention."""

STEP_SECONDS = 2.5
"""Seconds from one act of the supervisor to the next."""

FRAME_SECONDS = 0.25
WIDTH = 1000
"""Pixels of width, as a README is shown."""

MOST_BYTES = 2_000_000


class Frame(NamedTuple):
    """at: seconds on the monotonic clock; picture: a PNG."""

    at: float
    picture: bytes


class Film:
    """Frames of a page. It has the last few seconds until `keep`, then all frames."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: deque[Frame] = deque(maxlen=int(BEFORE_SECONDS / FRAME_SECONDS))

    def until(self, done: Callable[[], bool]) -> None:
        """Take frames until `done` says yes. Asks once a frame."""
        while not done():
            self._take()

    def keep(self) -> None:
        """From now on keep every frame."""
        self._frames = deque(self._frames)

    def roll(self, seconds: float) -> None:
        """Take frames for so many seconds."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end)

    def save(self, to: Path) -> int:
        """Write the frames as an animated WebP. Returns its size in bytes. Raises ValueError if it is too large."""
        frames = list(self._frames)
        pictures = [_smaller(frame.picture) for frame in frames]
        shown = [round(1000 * (b.at - a.at)) for a, b in pairwise(frames)] + [2000]
        pictures[0].save(to, save_all=True, append_images=pictures[1:], duration=shown, loop=0, quality=60, method=4)
        size = to.stat().st_size
        if size > MOST_BYTES:
            raise ValueError(f"{to} is larger than {MOST_BYTES} bytes")
        return size

    def _take(self) -> None:
        at = time.monotonic()
        self._frames.append(Frame(at, self._page.screenshot()))
        self._page.wait_for_timeout(max(0.0, FRAME_SECONDS - (time.monotonic() - at)) * 1000)


def shoot(page: Page, raised: Callable[[], list[str]], to: Path) -> int:
    """Film the first call that needs attention, and what a supervisor does. Returns the film's size in bytes."""
    film = Film(page)
    film.until(lambda: bool(raised()))
    film.keep()
    film.roll(STEP_SECONDS)
    page.locator(f'tr[data-call-id="{raised()[0]}"] a').click()
    film.roll(STEP_SECONDS)
    page.get_by_role("button", name="Listen").click()
    film.roll(STEP_SECONDS)
    page.get_by_role("button", name="Take", exact=False).first.click()
    film.roll(SECONDS - BEFORE_SECONDS - 3 * STEP_SECONDS)
    return film.save(to)


def _smaller(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    return picture.resize((WIDTH, picture.height * WIDTH // picture.width), Image.Resampling.LANCZOS)
