"""GET /v1/agents: talk figures and moods of each agent's ended calls."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from flask import Blueprint, Response

from webapp.access.rights import needs
from webapp.api.documents.openapi import operation
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.schemas.figures import ApiAgent, ApiAgents
from webapp.store import store

api = Blueprint("agents", __name__, url_prefix="/v1")

MOST_CALLS = 1000
"""At most so many ended calls count, the latest. It takes some 50 ms to read them."""

NO_NAME = ""


@api.get("/agents")
@operation("Read the talk figures of each agent's ended calls", {200: ApiAgents})
@needs("read")
def read_agents() -> Response:
    """Means over the latest ended calls that have a summary, by the metadata's `agent`."""
    inputs.query()
    return as_json(agents(store().reads.summaries(MOST_CALLS)))


def agents(calls: list[tuple[dict[str, str], dict[str, Any]]]) -> ApiAgents:
    """Aggregate (metadata, summary) pairs. Summaries of older editions may lack figures."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for metadata, summary in calls:
        by_name.setdefault(metadata.get("agent", NO_NAME), []).append(summary)
    return ApiAgents([_agent(name, by_name[name]) for name in sorted(by_name)], len(calls))


def _agent(name: str, summaries: list[dict[str, Any]]) -> ApiAgent:
    talks = [summary.get("talk") or {} for summary in summaries]
    own = [(talk.get("parties") or {}).get("agent") or {} for talk in talks]
    minutes = sum(party.get("talk_seconds") or 0.0 for party in own) / 60
    words = sum(party.get("words") or 0 for party in own)
    return ApiAgent(
        agent=name,
        calls=len(summaries),
        raised_calls=sum(bool(summary.get("raised_seconds")) for summary in summaries),
        sentiment_score=_mean(summaries, "sentiment_score"),
        talk_ratio=_mean(talks, "talk_ratio"),
        words_per_minute=round(words / minutes, 1) if minutes else None,
        longest_monologue_seconds=max((party.get("longest_monologue_seconds") or 0.0 for party in own), default=None),
        silence_seconds=_mean(talks, "silence_seconds"),
        hold_seconds=_mean(talks, "hold_seconds"),
        overlaps=_mean(talks, "overlaps"),
        interruptions=_mean(own, "interruptions"),
    )


def _mean(found: list[dict[str, Any]], name: str) -> float | None:
    values = [float(one[name]) for one in found if isinstance(one.get(name), int | float)]
    return round(fmean(values), 3) if values else None
