"""Draws the samples of a soak as one SVG: a small panel for each kind of figure, a line for each process type."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from scripts.soaking.watch import Sample

WIDTH, HEIGHT, LEFT, TOP = 460, 190, 60, 30
"""Pixels of a panel and its margins."""

COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#7f7f7f", "#bcbd22")


def draw(samples: Sequence[Sample], report: dict[str, Any]) -> str:
    """The SVG's text."""
    names = sorted({name for one in samples for name in one} - {"seconds"})
    panels: dict[str, list[str]] = {}
    for name in names:
        who, _, what = name.partition(": ")
        panels.setdefault(what if who not in ("store", "lag", "page", "machine") else name, []).append(name)
    drawn = [_panel(title, of, samples, n) for n, (title, of) in enumerate(panels.items())]
    height = math.ceil(len(panels) / 2) * HEIGHT + 30
    head = f"{report['calls_at_a_time']} calls at a time, {report['engine']}, {report['seconds']:.0f} s"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {height}" font-family="sans-serif" '
        f'font-size="11"><rect width="100%" height="100%" fill="white"/>'
        f'<text x="10" y="20" font-size="14">{escape(head)}</text>{"".join(drawn)}</svg>\n'
    )


def _panel(title: str, names: list[str], samples: Sequence[Sample], number: int) -> str:
    most = max((one.get(name, 0.0) for one in samples for name in names), default=0.0)
    top = most * 1.1 or 1.0
    end = max(one["seconds"] for one in samples) or 1.0
    x0, y0 = (number % 2) * WIDTH + LEFT, (number // 2) * HEIGHT + TOP + 30
    wide, high = WIDTH - LEFT - 110, HEIGHT - TOP - 30
    parts = [
        f'<text x="{x0}" y="{y0 - 8}" font-weight="bold">{escape(title)}</text>',
        f'<rect x="{x0}" y="{y0}" width="{wide}" height="{high}" fill="none" stroke="#999"/>',
        f'<text x="{x0 - 4}" y="{y0 + 8}" text-anchor="end">{top:.3g}</text>',
        f'<text x="{x0 - 4}" y="{y0 + high}" text-anchor="end">0</text>',
        f'<text x="{x0 + wide}" y="{y0 + high + 14}" text-anchor="end">{end / 60:.0f} min</text>',
    ]
    for n, name in enumerate(names):
        points = " ".join(
            f"{x0 + one['seconds'] / end * wide:.1f},{y0 + high - one[name] / top * high:.1f}"
            for one in samples
            if not math.isnan(one.get(name, math.nan))
        )
        colour = COLOURS[n % len(COLOURS)]
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
        if len(names) > 1:
            at = y0 + 10 + 13 * n
            parts.append(f'<text x="{x0 + wide + 6}" y="{at}" fill="{colour}">{escape(name.partition(":")[0])}</text>')
    return "".join(parts)
