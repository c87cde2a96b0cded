"""Public clients of vosk-server, and the client of the first demonstration, get what they expect."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from state import g711
from state.people.access import Access
from state.types import Utterance
from tests.harness.audiosocket import audiosocket_process
from tests.harness.calls.wires import TEXT, Refused, WebSocket
from tests.harness.signing_in import bearer
from tests.harness.web import Web, wait_until, web_process
from tests.integration.streams.conftest import House
from webapp.api.decode import PATIENCE_SECONDS


def pcm(house: House, party: str = "agent") -> bytes:
    return g711.decode_mulaw(house.parties[party])


def said(house: House, party: str) -> list[Utterance]:
    packed = [value for name, value in house.transcript.items() if name.startswith(party.encode())]
    return [msgspec.msgpack.decode(value, type=Utterance) for value in packed]


def converse(
    house: House,
    config: dict[str, Any],
    frame_bytes: int,
    end: str,
    call_id: str = "",
    at: Web | None = None,
    key: str = "",
) -> list[Any]:
    """Send each frame and wait for its answer, as public clients do; then the end. Returns all answers."""
    path = "/v1/streams/vosk" + (f"?call_id={call_id}&track=agent" if call_id else "")
    address = at.url.replace("http", "ws") + path if at else house.address(path)
    ws = WebSocket(address, bearer(key) if key else {})
    ws.text({"config": config})
    answers = []
    audio = pcm(house)
    for begin in range(0, len(audio), frame_bytes):
        ws.binary(audio[begin : begin + frame_bytes])
        answers.append(ws.json())
    ws.text(end)
    answers.append(ws.json())
    assert ws.close_code() == 1000
    return answers


@pytest.mark.parametrize("frame_bytes", [1600, 8000])
def test_a_client_gets_one_answer_a_frame_and_the_words_that_http_gives(house: House, frame_bytes: int) -> None:
    call_id = house.call_id()
    answers = converse(house, {"sample_rate": 8000}, frame_bytes, '{"eof" : 1}', call_id)
    assert len(answers) == -(-len(pcm(house)) // frame_bytes) + 1
    assert all(set(answer) in ({"partial"}, {"text"}, {"text", "result"}) for answer in answers)
    assert "text" in answers[-1]
    results = [answer for answer in answers if answer.get("text")]
    expected = said(house, "agent")
    assert " ".join(result["text"] for result in results) == " ".join(one.text for one in expected)
    words = [word for result in results for word in result["result"]]
    assert [(word["word"], word["start"], word["end"]) for word in words] == [
        (word.word, word.start, word.end) for one in expected for word in one.words
    ]
    assert all(word["conf"] == 1.0 for word in words)
    assert len(results) > 1, "results come while it is spoken, not only at the end"
    transcript = {name: value for name, value in house.transcript.items() if name.startswith(b"agent")}
    assert house.finished(call_id) == transcript


def test_a_client_of_voskserver_runs_with_no_change_on_the_port_for_it(house: House, tmp_path: Path) -> None:
    with audiosocket_process(house.fleet._environ, tmp_path, "VOSK_PORT") as (port, process):
        ws = WebSocket(f"ws://127.0.0.1:{port}")
        ws.text({"config": {"sample_rate": 8000}})
        heard = []
        audio = pcm(house)
        for at in range(0, len(audio), 8000):
            ws.binary(audio[at : at + 8000])
            heard.append(ws.json())
        ws.text('{"eof" : 1}')
        heard.append(ws.json())
        assert ws.close_code() == 1000
        results = [answer["text"] for answer in heard if answer.get("text")]
        assert " ".join(results) == " ".join(one.text for one in said(house, "agent"))
        with pytest.raises(Refused) as refused:
            WebSocket(f"ws://127.0.0.1:{port}", {"Origin": "https://evil.example"})
        assert refused.value.status == 403
        assert WebSocket(f"ws://127.0.0.1:{port}/x?track=A%20B").close_code() == 1007
        for nonsense in (b"GET / HTTP/1.0\r\n\r\n", b"\x00\xff" * 40000, b""):
            with socket.create_connection(("127.0.0.1", port), 10) as odd, contextlib.suppress(OSError):
                odd.sendall(nonsense)
        WebSocket(f"ws://127.0.0.1:{port}/any/path", {"Origin": "http://localhost:8080"}).close()
        process.terminate()
        assert process.wait(10) == 0


def test_a_key_that_may_only_send_gets_every_word_of_its_own_audio(house: House, tmp_path: Path) -> None:
    key, call_id = Access(house.fleet.redis).api_keys.add("pbx", ("ingest",)), house.call_id()
    with web_process(house.web.redis_url, tmp_path / "web.log", AUTH="on") as web:
        answers = converse(house, {"sample_rate": 8000}, 8000, '{"eof" : 1}', call_id, web, key)
    results = [answer["text"] for answer in answers if answer.get("text")]
    assert " ".join(results) == " ".join(one.text for one in said(house, "agent"))


def test_a_client_sees_partials_while_an_utterance_is_open(house: House) -> None:
    ws = WebSocket(house.address("/v1/streams/vosk"))
    ws.binary(pcm(house)[: 16000 * 6])  # the speech begins at 3.3 s
    partials = [ws.json().get("partial", "")]

    def partial_shown() -> bool:
        ws.binary(bytes(2))
        partials.append(ws.json().get("partial", ""))
        return bool(partials[-1])

    wait_until(partial_shown, "a partial")
    assert partials[-1].lower().startswith("it")
    ws.close()


def test_a_client_may_want_no_words_or_alternatives(house: House) -> None:
    plain = converse(house, {"sample_rate": 8000, "words": False}, 32000, '{"eof" : 1}')
    assert all(set(answer) in ({"partial"}, {"text"}) for answer in plain)
    several = converse(house, {"sample_rate": 8000, "max_alternatives": 3}, 32000, '{"eof" : 1}')
    result = next(answer for answer in several if "alternatives" in answer)
    assert set(result["alternatives"][0]) >= {"text", "confidence"}


def test_a_reset_gives_a_final_and_the_socket_goes_on(house: House) -> None:
    ws = WebSocket(house.address("/v1/streams/vosk"))
    audio = pcm(house)[: 16000 * 7]
    finals = []
    for _ in range(2):
        ws.binary(audio)
        first = ws.json()  # a partial, or the first result
        ws.text('{"reset" : 1}')
        finals.append(f"{first.get('text', '')} {ws.json()['text']}".strip())
    assert finals[0] == finals[1] != ""
    ws.text('{"eof" : 1}')
    assert ws.receive() == (TEXT, b'{\n  "text": ""\n}')
    assert ws.close_code() == 1000


def test_a_client_that_says_nothing_but_the_end_gets_an_empty_final(house: House) -> None:
    ws = WebSocket(house.address("/v1/streams/vosk"))
    ws.text('{"eof" : 1}')
    assert ws.json() == {"text": ""}
    assert ws.close_code() == 1000


# -- the first demonstration -------------------------------------------------------------------------------


def decode(house: House, **body: Any) -> requests.Response:
    return requests.post(f"{house.web.url}/decode", json={"broker": None, "topic": None, **body}, timeout=30)


def test_the_first_demonstrations_client_runs_unchanged_and_again(house: House) -> None:
    samples = list(memoryview(pcm(house)).cast("h"))[: 8000 * 9]
    speaker = house.call_id()
    texts = []
    for _ in range(2):
        pieces = [samples[at : at + 2000] for at in range(0, len(samples), 2000)]
        answers = [
            decode(house, audio=piece, sample_rate=8000, do_finalize=n == len(pieces) - 1, id=speaker).json()
            for n, piece in enumerate(pieces)
        ]
        assert all(isinstance(a["hstr"], str) and 0 <= a["confidence"] <= 1 for a in answers)
        texts.append(answers[-1]["hstr"])
        assert house.finished(answers[-1]["call_id"])
        first = said(house, "agent")[0]
        assert answers[-1]["hstr"].startswith(first.text)
        assert answers[-1]["confidence"] == 1.0
    assert texts[0] == texts[1]


def test_an_end_without_a_conversation_waits_for_nothing_and_counts_for_none(house: House) -> None:
    speaker = house.call_id()
    nothing = requests.post(
        f"{house.web.url}/decode",
        json={"audio": [], "sample_rate": 8000, "id": speaker, "do_finalize": True},
        timeout=PATIENCE_SECONDS / 2,
    )
    assert nothing.json() == {"hstr": "", "confidence": 0.0, "id": speaker, "call_id": speaker}
    assert decode(house, audio=[0] * 800, sample_rate=8000, id=speaker).json()["call_id"] == speaker


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"audio": [1, 40000], "sample_rate": 8000, "id": 1}, 400),
        ({"audio": [1.5], "sample_rate": 8000, "id": 1}, 400),
        ({"audio": [1], "sample_rate": 4000, "id": 1}, 400),
        ({"audio": [1], "sample_rate": 8000}, 400),
        ({"audio": [1], "sample_rate": 8000, "id": ""}, 400),
        ({"audio": [1] * 80_001, "sample_rate": 8000, "id": 1}, 413),
    ],
)
def test_what_cannot_be_decoded_is_refused(house: House, body: dict[str, Any], status: int) -> None:
    assert decode(house, **body).status_code == status
