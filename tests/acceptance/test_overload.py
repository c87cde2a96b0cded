"""Audio that nobody decodes is refused in time, new calls first, while memory stays flat; accepted audio is decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from state import keys
from tests.harness.fleet import Fleet
from tests.harness.servers import Server, start_server
from tests.harness.web import Web, web_process

SECOND = {"Content-Type": "audio/PCMU;rate=8000"}
LIMIT_SECONDS = 100


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = start_server("valkey9", dir=tmp_path)
    yield server
    server.kill()


@pytest.fixture
def fleet(server: Server, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(server, tmp_path, EARSHOT_ENGINE="stub")
    yield fleet
    fleet.kill_all()


@pytest.fixture
def web(server: Server, tmp_path: Path) -> Iterator[Web]:
    limits = {"BACKLOG_LIMIT_SECONDS": str(LIMIT_SECONDS), "TRACK_BACKLOG_SECONDS": "30", "AUTH": "off"}
    with web_process(server.url, tmp_path / "web.out", **limits) as web:
        yield web


def put(http: requests.Session, web: Web, call: str, seq: int) -> requests.Response:
    url = f"{web.url}/v1/calls/{call}/tracks/customer/chunks/{seq}"
    return http.put(url, data=bytes([seq % 256]) * 8000, headers=SECOND, timeout=30)


def test_with_no_decoder_the_backlog_is_bounded_and_all_that_was_accepted_is_decoded_later(
    server: Server, fleet: Fleet, web: Web
) -> None:
    http = requests.Session()
    last: Counter[str] = Counter()

    def fill(calls: list[str], rounds: int) -> Counter[int]:
        answers: Counter[int] = Counter()
        for _ in range(rounds):
            for call in calls:
                answer = put(http, web, call, last[call] + 1)
                answers[answer.status_code] += 1
                if answer.status_code == 202:
                    last[call] += 1
                else:
                    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) >= 1
                    assert answer.json()["reason"] == "busy"
        return answers

    old = [f"old-{n}" for n in range(9)]
    assert fill(old, 10) == {202: 90}
    assert put(http, web, "new", 1).status_code == 429, "new calls are refused first"
    assert http.post(f"{web.url}/v1/calls", json={"call_id": "new"}, timeout=30).status_code == 429
    assert http.get(f"{web.url}/v1/calls/new", timeout=30).status_code == 404, "a refused call leaves nothing"
    assert fill(old, 4) == {202: 10, 429: 26}, "old calls go on up to the limit"

    with server.client() as client:
        before = client.info("memory")["used_memory"]
        assert fill(old, 20) == {429: 180}
        assert client.info("memory")["used_memory"] < before + 500_000, "what is refused takes no memory"
        assert int(client.hget(keys.LOAD, "audio_ms")) == 1000 * LIMIT_SECONDS
    behind = http.get(f"{web.url}/v1/calls/old-0", timeout=30).json()["tracks"]["customer"]
    assert behind["lag_seconds"] == last["old-0"] and behind["decoded_seq"] == 0
    ready = http.get(f"{web.url}/readyz", timeout=30)
    assert ready.status_code == 503 and any("decoder" in reason for reason in ready.json()["reasons"])

    fleet.start("decoder", DECODER_LOOPS="1")
    fleet.start("sentiment")
    fleet.wait(lambda: fleet.health.fleet().backlog_chunks == 0)
    assert put(http, web, "new", 1).status_code == 202
    last["new"] = 1
    for call in last:
        assert http.post(f"{web.url}/v1/calls/{call}/end", timeout=30).status_code == 202
    fleet.wait_ended(list(last))
    for call, count in last.items():
        view = http.get(f"{web.url}/v1/calls/{call}", timeout=30).json()
        assert sum(len(u["words"]) for u in view["utterances"]) == count
        assert view["tracks"]["customer"]["lag_seconds"] == 0
    assert fleet.stop() == [0, 0]
    fleet.assert_at_rest()


def test_one_track_cannot_take_the_whole_backlog(fleet: Fleet, web: Web) -> None:
    http = requests.Session()
    answers = [put(http, web, "fast", seq).status_code for seq in range(1, 32)]
    assert answers == [202] * 30 + [429]
    assert put(http, web, "slow", 1).status_code == 202


WIDE = {"Content-Type": "audio/L16;rate=48000"}
WIDE_SECOND = bytes(96_000)


def flood(web: Web, callers: int, refusals: int) -> tuple[Counter[int], dict[str, int]]:
    """Callers post seconds of wide-band audio as fast as they can, each until it has `refusals` refusals in a row."""

    def call(name: str) -> tuple[Counter[int], int]:
        answers: Counter[int] = Counter()
        seq, refused = 0, 0
        with requests.Session() as http:
            while refused < refusals:
                url = f"{web.url}/v1/calls/{name}/tracks/customer/chunks/{seq + 1}"
                status = http.put(url, data=WIDE_SECOND, headers=WIDE, timeout=30).status_code
                answers[status] += 1
                seq, refused = (seq + 1, 0) if status == 202 else (seq, refused + 1)
        return answers, seq

    names = [f"flood-{n}" for n in range(callers)]
    with ThreadPoolExecutor(callers) as pool:
        results = list(pool.map(call, names))
    return sum((answers for answers, _ in results), Counter()), {
        name: seq for name, (_, seq) in zip(names, results, strict=True)
    }


LIMITS = {
    "by memory": (["--maxmemory", "80mb"], {"BACKLOG_LIMIT_MEGABYTES": "10000"}, 503),
    "by bytes": ([], {"BACKLOG_LIMIT_MEGABYTES": "40"}, 429),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_flood_of_wide_audio_is_refused_before_the_server_is_full_and_all_that_was_accepted_is_decoded(
    name: str, tmp_path: Path
) -> None:
    args, settings, refusal = LIMITS[name]
    server = start_server("valkey9", dir=tmp_path, args=args)
    fleet = Fleet(server, tmp_path, EARSHOT_ENGINE="stub")
    try:
        limits = {"BACKLOG_LIMIT_SECONDS": "1000000", "TRACK_BACKLOG_SECONDS": "1000000", "LISTEN_SECONDS": "0"}
        with web_process(server.url, tmp_path / "web.out", **limits, **settings) as web, server.client() as client:
            answers, posted = flood(web, callers=8, refusals=10)
            assert set(answers) == {202, refusal} and 100 < answers[202] < 1000
            assert "errorstat_OOM" not in client.info("errorstats"), "the server is never full"
            waiting = int(client.hget(keys.LOAD, "audio_bytes"))
            assert waiting == answers[202] * len(WIDE_SECOND) == sum(posted.values()) * len(WIDE_SECOND)
            assert client.info("memory")["used_memory"] < 80_000_000
            new = f"{web.url}/v1/calls/new/tracks/customer/chunks/1"
            assert requests.put(new, data=WIDE_SECOND, headers=WIDE, timeout=30).status_code == refusal
            fleet.start("decoder", DECODER_LOOPS="2")
            fleet.start("sentiment")
            fleet.wait(lambda: fleet.health.fleet().backlog_chunks == 0)
            for call in posted:
                assert requests.post(f"{web.url}/v1/calls/{call}/end", timeout=30).status_code == 202
            fleet.wait_ended(list(posted))
            for call, count in posted.items():
                track = requests.get(f"{web.url}/v1/calls/{call}", timeout=30).json()["tracks"]["customer"]
                assert (track["decoded_seq"], track["gaps"], track["lag_seconds"]) == (count, [], 0)
            assert fleet.stop() == [0, 0]
            fleet.assert_at_rest()
    finally:
        fleet.kill_all()
        server.kill()
