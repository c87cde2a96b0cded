"""A call whose voice gives no words says so to its viewers until words come."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import redis

from state.calls.reads import Reads
from state.server.shards import shards_of
from tests.harness.api import app_client
from tests.harness.line import CHUNK, Line, Scripted
from tests.harness.servers import Server
from workers.decoder.track import WORDLESS_SECONDS
from workers.sentiment.assessor import Assessor


def told(store: redis.Redis) -> list[bool]:
    """What the feed said of it: whether words are missing, oldest first."""
    [tail] = Reads(shards_of(store)).feeds.tails(100)
    events: list[Any] = [msgspec.json.decode(one.event) for one in tail.told]
    return [event.get("wordless", False) for event in events if event["kind"] == "partial"]


def test_voice_without_words_is_shown_until_words_come(
    store: redis.Redis, valkey: Server, assessor: Assessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    http, line = app_client(valkey), Line(store, assessor, ["customer"])

    def next_second(voice_seconds: float, text: str = "") -> bool:
        monkeypatch.setattr(Scripted, "wordless_seconds", voice_seconds)
        line.ingest.put("c", "customer", None, CHUNK)
        line.decode("customer", 0.0, text)
        return bool(http.get("/v1/calls/c").get_json()["tracks"]["customer"]["wordless"])

    assert not next_second(WORDLESS_SECONDS - 0.1)
    assert next_second(WORDLESS_SECONDS)
    assert http.get("/v1/calls").get_json()["calls"][0]["tracks"]["customer"]["wordless"]
    assert not next_second(0.0, "at last")
    assert told(store) == [False, True, False]
    assert next_second(WORDLESS_SECONDS)
    line.end()
    assert not http.get("/v1/calls/c").get_json()["tracks"]["customer"]["wordless"]
