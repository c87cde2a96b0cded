"""Posts the demo calls as telephony would: once, with a table at the end, or again and again."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from scripts.demo.processes import Processes
from scripts.simulator.recording import DEMO, read_tracks
from scripts.simulator.telephony import Api, CallFailed, post_call

ONCE_SPEED = 8.0
"""Speed with --once, as a multiple of real speech. Answers of 429 slow it down where that is too fast."""

ONCE_STALLED_SECONDS = 60.0
"""Seconds without progress until --once gives up."""

PAUSE_SECONDS = 5.0
"""Seconds between two rounds of the demo."""


class Stopped(Exception):
    """Ctrl-C, SIGTERM, or a process that cannot run."""


def say(text: str) -> None:
    sys.stderr.write(f"run: {text}\n")
    sys.stderr.flush()


def check(processes: Processes, stopping: threading.Event) -> None:
    """Raises Stopped if there is no point in going on."""
    if processes.failed:
        raise Stopped(processes.failed)
    if stopping.is_set():
        raise Stopped


def demo_calls() -> list[tuple[str, Path]]:
    return [(path.name.removeprefix("call-"), path) for path in sorted(DEMO.glob("call-*"))]


def play_once(url: str, key: str, processes: Processes, stopping: threading.Event) -> int:
    """Play all demo calls side by side and print the table. Returns 0 if every call ended with words and a score."""
    run_id = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    call_ids = {name: f"{name}-{run_id}" for name, _ in demo_calls()}
    failures: list[str] = []

    def one(name: str, folder: Path) -> None:
        try:
            play(url, key, name, folder, call_ids[name], ONCE_SPEED, stopping)
        except CallFailed as error:
            failures.append(f"{name}: {error}")

    threads = [threading.Thread(target=one, args=demo) for demo in demo_calls()]
    for thread in threads:
        thread.start()
    api = Api(url, key)
    calls: dict[str, dict[str, Any]] = {}
    before: Any = None
    moved_at = time.monotonic()
    while not failures and time.monotonic() - moved_at < ONCE_STALLED_SECONDS:
        check(processes, stopping)
        calls = {name: read_call(api, call_id) for name, call_id in call_ids.items()}
        if all(call.get("state") == "ended" for call in calls.values()):
            break
        now = [[t["decoded_seq"] for t in call.get("tracks", {}).values()] for call in calls.values()]
        if now != before:
            before, moved_at = now, time.monotonic()
            decoded, ended = sum(sum(tracks) for tracks in now), sum(c.get("state") == "ended" for c in calls.values())
            say(f"chunks decoded: {decoded}, calls ended: {ended} of {len(calls)}")
        time.sleep(1.0)
    stopping.set()
    for thread in threads:
        thread.join()
    print_table(calls)
    for name, call in calls.items():
        said = {u["track"] for u in call.get("utterances", []) if u["text"]}
        if call.get("state") != "ended" or said != {"agent", "customer"} or call["sentiment"]["score"] is None:
            failures.append(f"{name} did not finish")
    for failure in failures:
        sys.stderr.write(f"run: {failure}\n")
    return 1 if failures else 0


def play_for_ever(url: str, key: str, processes: Processes, stopping: threading.Event, nothing: bool) -> None:
    """Play the demo calls at their own speed, each again and again, until stopped."""

    def again_and_again(name: str, folder: Path) -> None:
        number = 0
        while not stopping.is_set():
            number += 1
            call_id = f"{name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
            try:
                play(url, key, name, folder, call_id, 1.0, stopping)
            except CallFailed as error:
                say(f"{name}: {error}")
            stopping.wait(PAUSE_SECONDS)

    threads = [threading.Thread(target=again_and_again, args=demo) for demo in ([] if nothing else demo_calls())]
    for thread in threads:
        thread.start()
    try:
        while True:
            check(processes, stopping)
            time.sleep(0.2)
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def play(url: str, key: str, name: str, folder: Path, call_id: str, speed: float, stopping: threading.Event) -> None:
    """Post one demo call."""
    truth = json.loads((folder / "truth.json").read_text())
    tracks = [read_tracks(folder / f"{party}.wav", [party])[0] for party in ("agent", "customer")]
    voices = {party: truth["voices"][party].partition("_")[2].title() for party in ("agent", "customer")}
    metadata = voices | {"queue": name}
    post_call(url, key, call_id, tracks, metadata, 1000, speed, stopping.is_set)


def read_call(api: Api, call_id: str) -> dict[str, Any]:
    try:
        status, body, _ = api.ask("GET", f"/v1/calls/{call_id}")
    except (OSError, http.client.HTTPException):
        return {}
    return body if status == 200 else {}


def print_table(calls: dict[str, dict[str, Any]]) -> None:
    """Print the calls as the page shows them, most attention first."""
    print(f"{'call':<18} {'state':<7} {'attention':>9} {'sentiment':>9}  last utterance")
    for name, call in sorted(calls.items(), key=lambda item: -item[1].get("attention", 0.0)):
        score = call.get("sentiment", {}).get("score")
        last = call.get("last") or {}
        shown = "" if score is None else f"{score:+.2f}"
        text = f"{last.get('track', '')}: {last.get('text', '')}"[:70]
        print(f"{name:<18} {call.get('state', '?'):<7} {call.get('attention', 0.0):>9.2f} {shown:>9}  {text}")
