"""How the page bears many calls: python -m tests.acceptance.measure_page [CALLS [RATE]] prints JSON.

Frame times are measured in a headless Chromium that draws in software and shares the machine with the server,
so they are worse than on any desk.
"""

from __future__ import annotations

import json
import subprocess
import sys

from playwright.sync_api import sync_playwright

from tests.acceptance.browser import launch

SECONDS = 20
FRAME_MS = 1000 / 60
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


def measure(calls: int, rate: float) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.acceptance.chatter", "--port", "0"]
    server = subprocess.Popen(
        [*command, "--calls", str(calls), "--rate", str(rate)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout
        url = server.stdout.readline().strip()
        with sync_playwright() as playwright, launch(playwright) as browser:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(url)
            page.wait_for_selector("tr[data-call-id]")
            page.wait_for_timeout(2000)
            devtools = page.context.new_cdp_session(page)
            devtools.send("Performance.enable", {"timeDomain": "threadTicks"})  # CPU, not wall time
            before = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
            seen = page.evaluate(RECORD, SECONDS)
            after = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
            rows = page.locator("tr[data-call-id]").count()
    finally:
        server.kill()
        server.wait()
    frames = sorted(seen["frames"])
    spent = {name: (after[name] - before[name]) / SECONDS for name in PARTS}
    return {
        "calls": calls,
        "rows_in_the_page": rows,
        "updates_per_second": calls * rate,
        "frame_ms_median": round(frames[len(frames) // 2], 1),
        "frame_ms_p95": round(frames[int(len(frames) * 0.95)], 1),
        "frame_ms_p99": round(frames[int(len(frames) * 0.99)], 1),
        "frame_ms_max": round(frames[-1], 1),
        "frames": len(frames),
        "frames_dropped": sum(round(ms / FRAME_MS) - 1 for ms in frames),
        "long_tasks": len(seen["tasks"]),
        "long_task_ms_max": round(max(seen["tasks"], default=0)),
        **{f"{name.removesuffix('Duration').lower()}_cpu_share": round(part, 3) for name, part in spent.items()},
    }


if __name__ == "__main__":
    calls, rate = (sys.argv[1:] + ["500", "2"][len(sys.argv) - 1 :])[:2]
    print(json.dumps(measure(int(calls), float(rate)), indent=2))
