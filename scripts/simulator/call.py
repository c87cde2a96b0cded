"""scripts/call: posts a recording as a live call and prints the utterances as they come.

A line with * after its time replaces an earlier one: Earshot hides words until it knows that they are harmless.
"""

from __future__ import annotations

import argparse
import http.client
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from scripts.simulator.recording import RecordingError, read_tracks
from scripts.simulator.telephony import FIRST_PATIENCE_SECONDS, Api, CallFailed, post_call

POLL_SECONDS = 0.5
DECODE_PATIENCE_SECONDS = 120.0
"""Seconds without any progress, after the last chunk, until it stops waiting for the transcript."""


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/call", description=__doc__)
    parser.add_argument(
        "--url", default=f"http://127.0.0.1:{os.environ.get('PORT', '8000')}", help="address of the web process"
    )
    parser.add_argument("--key", default=os.environ.get("EARSHOT_KEY", ""), help="API key (or EARSHOT_KEY)")
    parser.add_argument("--call-id", default=f"call-{time.time_ns() // 1_000_000}")
    parser.add_argument("--speed", type=float, default=1.0, help="speed, as a multiple of real time")
    parser.add_argument("--chunk-ms", type=int, default=1000)
    parser.add_argument("--meta", action="append", default=[], metavar="K=V", help="metadata; may be repeated")
    parser.add_argument("--agent", type=Path, metavar="A.wav")
    parser.add_argument("--customer", type=Path, metavar="C.wav")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE.wav", help="mono: the customer; stereo: agent left")
    options = parser.parse_args(argv)
    if (options.file is None) == (options.agent is None and options.customer is None):
        parser.error("give FILE.wav, or --agent and --customer")
    if not 0 < options.speed <= 1000 or not 20 <= options.chunk_ms <= 10_000:
        parser.error("--speed is 0..1000, --chunk-ms 20..10000")
    if any("=" not in pair for pair in options.meta):
        parser.error("--meta takes K=V")
    return options


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if the call did not get through."""
    options = arguments(argv)
    try:
        if options.file:
            tracks = read_tracks(options.file, ["agent", "customer"])
        else:
            parties = [("agent", options.agent), ("customer", options.customer)]
            tracks = [read_tracks(path, [name])[0] for name, path in parties if path]
        metadata = dict(pair.split("=", 1) for pair in options.meta)
        done = threading.Event()
        printer = threading.Thread(target=follow, args=(Api(options.url, options.key), options.call_id, done))
        printer.start()
        try:
            pace = options.chunk_ms, options.speed
            to = options.url, options.key, options.call_id
            post_call(*to, tracks, metadata, *pace, done.is_set, first_patience_seconds=FIRST_PATIENCE_SECONDS)
            printer.join()
        finally:
            done.set()  # at Ctrl-C, too: else the threads that post and print go on
    except (RecordingError, CallFailed) as error:
        sys.stderr.write(f"call: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("call: stopped; the call stays open until it is ended or idle\n")
        return 130
    return 0


def follow(api: Api, call_id: str, done: threading.Event) -> None:
    """Print each utterance until the call has ended, or `done`, or nothing moves any more. Print an utterance again
    when its hidden words appear."""
    printed: dict[str, str] = {}
    moved_at = time.monotonic()
    progress: Any = None
    while not done.is_set():
        try:
            status, call, _ = api.ask("GET", f"/v1/calls/{call_id}")
        except (OSError, http.client.HTTPException):
            status, call = 0, {}
        if status in (401, 403):
            sys.stderr.write("call: no transcript: this key does not have the scope read\n")
            return
        if status == 200:
            for utterance in call["utterances"]:
                before = printed.get(utterance["id"])
                if utterance["text"] != before:
                    printed[utterance["id"]] = utterance["text"]
                    print(line(utterance, again=before is not None), flush=True)
            if call["state"] == "ended":
                return
            now = [call["state"], [t["decoded_seq"] for t in call["tracks"].values()], len(printed)]
            if now != progress:
                progress, moved_at = now, time.monotonic()
            elif call["state"] == "ending" and time.monotonic() - moved_at > DECODE_PATIENCE_SECONDS:
                sys.stderr.write("call: posted, but nobody decodes it. Is a decoder running?\n")
                return
        time.sleep(POLL_SECONDS)


def line(utterance: dict[str, Any], again: bool = False) -> str:
    """One utterance as a line, without control characters of the transcript. again: it replaces an earlier line."""
    text = utterance["text"] or f"[{utterance.get('mark') or 'silence'}]"
    safe = "".join(character if character.isprintable() else " " for character in text)
    return f"{utterance['start']:7.2f}{'*' if again else ' '} {utterance['track']:<9} {safe}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
