"""What open pages cost the web process and a browser: a herd that comes at once, viewers that stay, and frames.

Calls and their feed are made up (live_calls.py). Server, web process, sockets and browser are real. They share the
machine, so times are worse than with a machine for each.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scripts.benchmarks.live_calls import Chatter, begin
from scripts.machine.programs import cpu_seconds, resident_bytes
from scripts.machine.server import EmbeddedServer
from state.server.connection import connect
from state.settings import Settings
from tests.harness.health import Health
from tests.harness.viewers import Herd, Viewer, percentile
from tests.harness.web import Web

PATIENCE_SECONDS = 60.0
WARM_SECONDS = 2.0
FRAME_MS = 1000 / 60
BROWSER_FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PARTS = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")

RECORD = """async (seconds) => {
  const frames = [], tasks = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration)))
    .observe({type: "longtask"});
  let last = performance.now();
  const end = last + seconds * 1000;
  await new Promise((done) => requestAnimationFrame(function next(now) {
    frames.push(now - last);
    last = now;
    now < end ? requestAnimationFrame(next) : done();
  }));
  return {frames: frames.slice(1), tasks};
}"""


def bench_page(options: argparse.Namespace) -> dict[str, Any]:
    """--viewers pages come at once, twice, to --live calls. Each call has --rate events a second."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "server")
        web = Web(server.url, Path(folder) / "web.log", {"AUTH": "off", "WEB_THREADS": str(options.viewers * 2 + 20)})
        client = connect(Settings(redis_url=server.url), "web")
        calls = begin(client, Settings(), options.live)
        try:
            web.start()
            pid, url = web.worker_pid, web.url
            with Chatter(client, calls, options.rate) as chatter:
                report = asyncio.run(_measure(options, url, pid, server.pid, chatter))
                report["frames"] = _frames(url, options.seconds)
        finally:
            web.kill()
            server.stop()
    return {"viewers": options.viewers, "live_calls": options.live, "events_per_call_second": options.rate} | report


async def _measure(
    options: argparse.Namespace, url: str, pid: int, server_pid: int, chatter: Chatter
) -> dict[str, Any]:
    rounds = []
    for last in (False, True):
        herd = Herd([Viewer(url) for _ in range(options.viewers)])
        cpu = cpu_seconds(pid)
        with Health(url, pid) as health:
            await herd.come(PATIENCE_SECONDS)
        rounds.append(
            {
                "served": len(herd.served),
                "table_s_median": _rounded(percentile(herd.served, 0.5)),
                "table_s_max": _rounded(percentile(herd.served, 1.0)),
                "table_bytes": round(sum(viewer.taken_bytes for viewer in herd.viewers) / options.viewers),
                "healthz_s_max": _rounded(health.slowest),
                "web_cpu_s": _rounded(cpu_seconds(pid) - cpu),
                "web_resident_megabytes": _resident(pid),
            }
        )
        if not last:
            await herd.leave()
    await asyncio.sleep(WARM_SECONDS)
    cpu, server_cpu, taken, told = cpu_seconds(pid), cpu_seconds(server_pid), _taken(herd), chatter.told
    began = time.monotonic()
    await asyncio.sleep(options.seconds)
    spent = time.monotonic() - began
    steady = {
        "events_per_second": round((chatter.told - told) / spent),
        "web_cpu_cores": _rounded((cpu_seconds(pid) - cpu) / spent),
        "server_cpu_cores": _rounded((cpu_seconds(server_pid) - server_cpu) / spent),
        "bytes_per_viewer_minute": round((_taken(herd) - taken) / options.viewers / spent * 60),
        "cut_off": sum(bool(viewer.closed) for viewer in herd.viewers),
        "web_resident_megabytes": _resident(pid),
    }
    await herd.leave()
    return {"rounds": rounds, "steady": steady}


def _taken(herd: Herd) -> int:
    return sum(viewer.taken_bytes for viewer in herd.viewers)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _resident(pid: int) -> float:
    return round(resident_bytes(pid) / 1e6, 1)


def _frames(url: str, seconds: float) -> dict[str, Any] | None:
    """How a headless Chromium draws the page, in software; None if there is no browser to measure."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sys.stderr.write("bench: no frames are measured: playwright is missing (scripts/setup --dev)\n")
        return None
    browsers = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    if not browsers:
        sys.stderr.write("bench: no frames are measured: Chromium is missing (Debian: apt-get install chromium)\n")
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browsers[0], args=list(BROWSER_FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        began = time.monotonic()
        page.goto(url)
        page.wait_for_selector("tr[data-call-id]", timeout=PATIENCE_SECONDS * 1000)
        shown_s = time.monotonic() - began
        page.wait_for_timeout(WARM_SECONDS * 1000)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable", {"timeDomain": "threadTicks"})  # CPU, not wall time
        before = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
        seen = page.evaluate(RECORD, seconds)
        after = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
        rows = page.locator("tr[data-call-id]").count()
        browser.close()
    frames = sorted(seen["frames"])
    spent = {name: (after[name] - before[name]) / seconds for name in PARTS}
    return {
        "table_shown_s": _rounded(shown_s),
        "rows_in_the_page": rows,
        "count": len(frames),
        "dropped": sum(round(ms / FRAME_MS) - 1 for ms in frames),
        "ms_p95": _rounded(percentile(frames, 0.95)),
        "ms_p99": _rounded(percentile(frames, 0.99)),
        "ms_max": _rounded(frames[-1]),
        "long_tasks": len(seen["tasks"]),
        "long_task_ms_max": round(max(seen["tasks"], default=0)),
        **{f"{name.removesuffix('Duration').lower()}_cpu_share": _rounded(part) for name, part in spent.items()},
    }
