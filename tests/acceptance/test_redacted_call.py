"""A card number that is read out in a demo call is nowhere in the whole product afterwards."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from scripts.simulator.recording import DEMO
from state import keys
from state.settings import Settings
from tests.harness.calls.engines import MOONSHINE
from tests.harness.fleet import Fleet, demo_chunks
from tests.harness.protocol import values
from tests.harness.servers import start_server
from webapp.app import create_app
from workers.insight.redaction.dictation import MASKED_NUMBER, runs
from workers.insight.words.spoken import Spoken

CALL = "card-fraud"
ENOUGH = 3
"""Digits in a row of the card number that count as a find."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    server = start_server("valkey9", dir=folder)
    fleet = Fleet(server, folder, **MOONSHINE.environ)
    yield fleet
    fleet.kill_all()
    server.kill()


def card_number() -> str:
    """Its digits, from the demo call's true words."""
    truth = json.loads((DEMO / f"call-{CALL}" / "truth.json").read_text())
    said = [Spoken(str(n), t["track"], t["start_s"], t["end_s"], t["text"]) for n, t in enumerate(truth["turns"])]
    found = [run.digits for run in runs([u for u in said if u.track == "customer"], 30.0) if len(run.digits) >= 13]
    assert len(found) == 1
    return found[0]


def texts(value: Any) -> Iterator[str]:
    """All texts in a value of the store: msgpack, JSON and plain, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(key)
            yield from texts(inner)
    elif isinstance(value, list | tuple | set):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value
        if value[:1] in "{[":
            with contextlib.suppress(ValueError):
                yield from texts(json.loads(value))
    elif isinstance(value, bytes):
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            yield from texts(msgspec.msgpack.decode(value))
        yield value.decode(errors="replace")


def everything(fleet: Fleet) -> dict[str, list[str]]:
    """Every text in Redis, by key."""
    held = values(fleet.redis)
    assert not any(key.startswith(keys.PREFIX + "audio:") for key in held), "the journal of an ended call is gone"
    return {key: list(texts(value)) for key, value in held.items()}


def finds(text: str, number: str) -> list[str]:
    """Parts of the number in a text, as words or digits."""
    if re.fullmatch(r"[\d-]+", text):  # a rate, a moment, an id
        return [text] if number in text else []
    text = text.replace(MASKED_NUMBER, "masked")
    read = [run.digits for run in runs([Spoken("", "customer", 0.0, 1.0, text)], 1.0)]
    read += re.findall(r"(?<![\w.:-])\d+(?![\w.:-])", text)
    pieces = {number[n : n + ENOUGH] for n in range(len(number) - ENOUGH + 1)}
    return [digits for digits in read if any(piece in digits for piece in pieces)]


def test_a_card_number_that_was_read_out_is_nowhere(fleet: Fleet) -> None:
    number = card_number()
    fleet.start("decoder", DECODER_LOOPS="1")
    fleet.start("sentiment")
    fleet.start("jobs")
    calls = {party: demo_chunks(CALL, party) for party in ("agent", "customer")}
    http = create_app(Settings(redis_url=fleet.settings.redis_url, auth="off")).test_client()
    seen: list[str] = []

    def look() -> None:
        seen.append(http.get("/v1/calls/c1").text)
        seen.append(http.get("/v1/calls").text)

    fleet.feed("c1", calls, pause_seconds=0.1, after_each=look)
    fleet.wait_ended(["c1"])
    fleet.wait(lambda: fleet.redis.hexists(keys.call("c1"), "summary"), why="the summary is written")
    look()
    seen += [http.get(f"/v1/calls/c1/transcript.{form}").text for form in ("json", "txt", "vtt", "srt", "csv")]
    assert "payments" in seen[-1], "the call is recognised"
    assert seen[-1].count(MASKED_NUMBER) >= 4, "a number is heard in it"
    assert [found for text in seen for found in finds_in_json(text, number)] == []
    stored = everything(fleet)
    assert any("payments" in text for text in stored[keys.FEED]), "the search looks at the feed"
    assert {key: found for key, all_ in stored.items() if (found := [t for t in all_ if finds(t, number)])} == {}
    assert fleet.stop() == [0, 0, 0]


def finds_in_json(text: str, number: str) -> list[str]:
    """As `finds`, in each text of a JSON body, or in each line of another body."""
    try:
        inner = list(texts(json.loads(text)))
    except ValueError:
        inner = text.splitlines()
    return [found for one in inner for found in finds(one, number)]


def test_the_search_would_find_it() -> None:
    number = card_number()
    spoken = "yes um it's four zero zero zero zero five six six"
    assert finds(spoken, number) and finds("my card is 4000 0566", number)
    assert not finds("there are two payments for three hundred and forty pounds", number)
    packed = msgspec.msgpack.encode({"text": spoken})
    assert any(finds(text, number) for text in texts({b"x": packed}))
