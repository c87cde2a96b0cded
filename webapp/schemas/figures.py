"""Figures of agents and of this process, over the API."""

from __future__ import annotations

import msgspec


class Readiness(msgspec.Struct):
    """Whether this process can do its work, and if not, why not."""

    ready: bool
    reasons: list[str]
    model: str
    """The speech engine, for people."""


class ApiAgent(msgspec.Struct):
    """An agent's ended calls. Means over the calls that have the figure; null where none has."""

    agent: str
    calls: int
    raised_calls: int
    sentiment_score: float | None
    talk_ratio: float | None
    words_per_minute: float | None
    longest_monologue_seconds: float | None
    silence_seconds: float | None
    hold_seconds: float | None
    overlaps: float | None
    interruptions: float | None


class ApiAgents(msgspec.Struct):
    """Agents by name, from the summaries of the ended calls that are kept; calls: how many were counted."""

    agents: list[ApiAgent]
    calls: int
