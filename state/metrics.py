"""What a process counts about itself, and how Prometheus gets it.

Each family is here with its labels and buckets; docs/OPERATING.md explains them. Our processes fork others (decode
loops, web workers), so the values are in files of one folder: PROMETHEUS_MULTIPROC_DIR, or a new one. Each of these
processes answers with the sum.

The web process shows them at /metrics, with the fleet's own gauges (webapp/api/metrics.py). The others do so on
METRICS_PORT, by a small process beside them, so that no thread of it is alive when they fork.
"""

from __future__ import annotations

import os
import signal
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from state import scratch

FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def _use_files() -> None:
    """Keep values in files, in a folder that lasts as long as this process unless one is given.

    The library decides on files when it is first imported, which may have been too early.
    """
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    if os.environ.get(FOLDER):
        return
    os.environ[FOLDER] = scratch.make("earshot-metrics-")


_use_files()

DELAYS = (0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0, 20.0, 60.0)
"""Seconds that somebody waits for words: close together around the goal of 2.5 s (docs/PERFORMANCE.md)."""

WORK = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds that a piece of work takes."""

COMMIT_DELAY = Histogram(
    "earshot_commit_delay_seconds", "From the arrival of a track's oldest waiting chunk to its commit", buckets=DELAYS
)
SPEECH_DELAY = Histogram(
    "earshot_speech_delay_seconds",
    "From the end of an utterance's speech to its commit, if audio comes in real time",
    buckets=DELAYS,
)
DECODED_SECONDS = Counter("earshot_decoded_audio_seconds", "Audio decoded")
BUSY_SECONDS = Counter("earshot_decode_busy_seconds", "Time that decode loops held a lease")
LOOPS_DIED = Counter("earshot_decode_loops_died", "Decode loops that ended by themselves or were killed")
WORDLESS = Counter(
    "earshot_wordless_tracks", "Tracks in which ten seconds of voice gave no words (once each time that this begins)"
)
SCORE_DELAY = Histogram("earshot_score_delay_seconds", "From an utterance's commit to its score", buckets=DELAYS)
JOB_SECONDS = Histogram(
    "earshot_job_seconds", "Time of one job, by its task and end", labelnames=["task", "end"], buckets=WORK
)
FEED_DELAY = Histogram(
    "earshot_feed_delay_seconds",
    "From an event's entry into the feed to the moment it is sent to pages",
    buckets=DELAYS,
)
REQUEST_SECONDS = Histogram(
    "earshot_request_seconds",
    "Time to answer a request, by route and status (2xx and so on)",
    labelnames=["route", "status"],
    buckets=WORK,
)
PAGES = Gauge("earshot_pages", "Pages that follow the live table", multiprocess_mode="livesum")
STREAMS = Gauge("earshot_streams", "Telephony's open sockets", multiprocess_mode="livesum")


class NoPort(OSError):
    """The process cannot show its figures where it should."""


ASK_SECONDS = 0.5
"""Seconds between two looks whether the measured process still lives."""


def registry(*more: Collector) -> CollectorRegistry:
    """The figures of this process and its children, and `more`."""
    found = CollectorRegistry(auto_describe=False)
    MultiProcessCollector(found)  # type: ignore[no-untyped-call]
    for collector in more:
        found.register(collector)
    return found


def serve(address: str, port: int) -> None:
    """Answer scrapes on address:port from a separate process, which ends with this one.

    Raises NoPort, with one line for people, if that is impossible.
    """
    parent = os.getpid()
    ready, told = os.pipe()
    if os.fork():
        os.close(told)
        with os.fdopen(ready, "rb") as said:
            problem = said.read().decode()
        if problem:
            raise NoPort(problem)
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    try:
        start_http_server(port, addr=address, registry=registry())
    except OSError as error:
        os.write(told, f"METRICS_PORT: {address}:{port}: {error.strerror or error}".encode())
        os._exit(1)
    os.close(told)
    while os.getppid() == parent:
        time.sleep(ASK_SECONDS)
    os._exit(0)
