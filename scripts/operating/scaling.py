"""The rule by which the number of decoders follows the load, and a day simulated by it.

Busy time scales before decoders fall behind, lag when they have. Kubernetes' autoscaler counts in the same way: each
figure over its target gives a number, and the largest counts (deploy/kubernetes/decoder.yaml).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

TOLERANCE = 0.1
"""Share of the target by which busy time may miss it without any change, as with Kubernetes."""

STEP_SECONDS = 5
"""Seconds of the day in one step."""

TRACKS = 2
"""Tracks of a line. Each brings a second of audio a second."""


@dataclass(frozen=True)
class Rule:
    """busy: share of their time that decode loops should work. lag_seconds: waiting audio that each decoder may have.
    least, most: decoders. every_seconds: between two looks. cooldown_seconds: the number of decoders falls to the
    largest that the rule wanted in this time."""

    busy: float = 0.6
    lag_seconds: float = 20.0
    least: int = 1
    most: int = 50
    every_seconds: int = 15
    cooldown_seconds: int = 600

    def wanted(self, running: int, busy: float, backlog_seconds: float) -> int:
        """Number of decoders that should run, from the present figures. One look at most doubles it."""
        by_lag = math.ceil(backlog_seconds / self.lag_seconds) if backlog_seconds > self.lag_seconds else 0
        missed = abs(busy / self.busy - 1) > TOLERANCE
        by_busy = math.ceil(running * busy / self.busy) if missed else running
        most = min(self.most, max(self.least, 2 * running))
        return max(self.least, min(most, max(by_lag, by_busy)))


@dataclass(frozen=True)
class Costs:
    """decode_ms: ms of a core for a second of a track, engine and protocol. loops: cores of a decoder. start_seconds:
    from the wish for a decoder until it works. core_hour: price of a core for an hour. backlog_limit_seconds: waiting
    audio beyond which the server refuses chunks."""

    decode_ms: float = 28.0
    loops: int = 2
    start_seconds: int = 60
    core_hour: float = 0.0375
    backlog_limit_seconds: float = 20_000.0

    def decoded_seconds(self, decoders: int, seconds: float) -> float:
        """Most seconds of audio that so many decoders decode in this time."""
        return decoders * self.loops * seconds * 1000 / self.decode_ms


@dataclass(frozen=True)
class Moment:
    """The fleet at one moment of the day. lag_seconds: by how much each track's words are late."""

    at_seconds: int
    lines: float
    decoders: int
    busy: float
    backlog_seconds: float
    lag_seconds: float
    refused_seconds: float


def play(lines_at: Callable[[float], float], rule: Rule, costs: Costs, hours: float = 24.0) -> list[Moment]:
    """A day's moments, STEP_SECONDS apart. lines_at: live lines at an hour of the day."""
    running = rule.least
    starting: deque[tuple[int, int]] = deque()  # (when they work, how many)
    wishes: deque[tuple[int, int]] = deque()
    backlog, busy_since_look = 0.0, []
    moments = []
    for now in range(0, int(hours * 3600), STEP_SECONDS):
        while starting and starting[0][0] <= now:
            running += starting.popleft()[1]
        lines = lines_at(now / 3600)
        came = lines * TRACKS * STEP_SECONDS
        can = costs.decoded_seconds(running, STEP_SECONDS)
        done = min(backlog + came, can)
        waits = backlog + came - done
        backlog = min(waits, costs.backlog_limit_seconds)
        busy = done / can if can else 1.0
        busy_since_look.append(busy)
        lag = backlog / (lines * TRACKS) if lines else 0.0
        moments.append(Moment(now, lines, running, busy, backlog, lag, waits - backlog))
        if now % rule.every_seconds:
            continue
        on_the_way = running + sum(count for _, count in starting)
        mean = sum(busy_since_look) / len(busy_since_look) * running / on_the_way
        busy_since_look.clear()
        wished = rule.wanted(on_the_way, mean, backlog)
        wishes.append((now, wished))
        while wishes[0][0] <= now - rule.cooldown_seconds:
            wishes.popleft()
        if wished > on_the_way:
            starting.append((now + costs.start_seconds, wished - on_the_way))
        elif (most := max(count for _, count in wishes)) < on_the_way:
            running -= min(on_the_way - most, running - rule.least)
    return moments
