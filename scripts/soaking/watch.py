"""Takes samples of a fleet at work: what each process type, the server and the page hold, and how late words are."""

from __future__ import annotations

import contextlib
import gc
import os
import time
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import CDPSession, sync_playwright

from scripts.machine.programs import cpu_seconds
from scripts.soaking.fleet import SoakFleet
from tests.harness.browser import launch, watched_page

Sample = dict[str, float]
"""Name of a figure -> its value. "seconds" is the time since the run began."""


def watch(fleet: SoakFleet, seconds: float, every: float) -> list[Sample]:
    """Follow the fleet with a page for `seconds`, and take a sample every `every` seconds."""
    samples: list[Sample] = []
    with sync_playwright() as playwright, launch(playwright) as browser, watched_page(browser, 1440, 900) as page:
        page.goto(fleet.url)
        page.wait_for_selector("tr[data-call-id]", timeout=120_000)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")
        began = time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            sample = {"seconds": now, "machine: load": os.getloadavg()[0]}
            sample |= _processes(fleet) | _store(fleet) | _page(devtools)
            sample["page: rows"] = page.locator("tr[data-call-id]").count()
            samples.append(sample)
            gc.collect()
            page.wait_for_timeout(1000 * max(0.0, every - (time.monotonic() - began - now)))
    return samples


def _processes(fleet: SoakFleet) -> Sample:
    """Figures by process type, children included."""
    found: Sample = {}
    for name, process in {**{name: p.pid for name, p in fleet.processes.items()}, "server": fleet.server_pid}.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
            told = [_process(one) for one in family]
            for what in ("own megabytes", "descriptors", "sockets", "threads", "processor seconds"):
                found[f"{name}: {what}"] = sum(one.get(what, 0.0) for one in told)
    return found


def _process(one: psutil.Process) -> Sample:
    """Figures of one process; none if it has just ended, as a job's process does after its job."""
    try:
        descriptors = [str(entry.readlink()) for entry in Path(f"/proc/{one.pid}/fd").iterdir()]
        return {
            "own megabytes": _own_megabytes(one.pid),
            "descriptors": len(descriptors),
            "sockets": sum(target.startswith("socket:") for target in descriptors),
            "threads": one.num_threads(),
            "processor seconds": cpu_seconds(one.pid, ended=True),
        }
    except (OSError, psutil.NoSuchProcess):
        return {}


def _own_megabytes(pid: int) -> float:
    """Megabytes of memory that no file stands behind. (Pages of programs come and go with other runs of the program.)

    What a fork shares with its parent counts to each in part, so their sum stays the same when pages part.
    """
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 / 1e6 for line in rollup if line.startswith("Pss_Anon:"))


def _store(fleet: SoakFleet) -> Sample:
    info: Any = fleet.shards.plain.info()
    feed = sum(int(shard.redis.memory_usage(shard.keys.feed) or 0) for shard in fleet.shards)
    ended = sum(int(shard.redis.zcard(shard.keys.ended)) for shard in fleet.shards)
    return {
        "store: megabytes without the feed": (info["used_memory"] - feed) / 1e6,
        "store: megabytes of the feed": feed / 1e6,
        "store: clients": info["connected_clients"],
        "store: keys": fleet.shards.plain.dbsize(),
        "store: ended calls": ended,
        "lag: backlog seconds": fleet.gauge("backlog_seconds"),
        "lag: finals waiting": fleet.gauge("finals_waiting"),
        "lag: calls not archived": fleet.gauge("calls_unarchived"),
    }


def _page(devtools: CDPSession) -> Sample:
    devtools.send("HeapProfiler.collectGarbage")
    told = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
    return {
        "page: megabytes of script": told["JSHeapUsedSize"] / 1e6,
        "page: nodes": told["Nodes"],
        "page: listeners": told["JSEventListeners"],
    }
