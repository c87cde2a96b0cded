"""On any socket, a key that may only send hears what answers its own audio, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import redis
import requests

from state import keys
from state.people.access import Access
from state.settings import Settings
from state.types import Sender
from tests.harness.calls.wires import CLOSE, Refused, Twilio, WebSocket
from tests.harness.line import CHUNK, Line
from tests.harness.routes import sockets
from tests.harness.secret_calls import DONE, LIVE, PBX, secret_in, told
from tests.harness.servers import Server
from tests.harness.signing_in import bearer
from tests.harness.web import Web, web_process
from webapp.store import open_store
from webapp.streams.vosk_server import VoskParser, VoskTalk

SILENCE = b"\xff" * 8000

PCM = bytes(16000)


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_process(valkey.url, tmp_path_factory.mktemp("web") / "web.log", AUTH="on", WEB_THREADS="64") as web:
        yield web


# -- every socket -----------------------------------------------------------------------------------------

Spoken = Callable[[WebSocket, str, str], None]


def twilio(ws: WebSocket, call: str, track: str) -> None:
    inbound = {"agent": {"inbound": "agent"}}.get(track, {})
    stream = Twilio(call, {"inbound": SILENCE * 2}, call_id=call, **inbound)
    for message in [*stream.start(), *stream.media()]:
        ws.text(message)


def audio(ws: WebSocket, call: str, track: str) -> None:
    ws.text({"call_id": call, "track": track, "encoding": "ulaw"})
    ws.binary(SILENCE * 2)


def vosk(ws: WebSocket, call: str, track: str) -> None:
    ws.text({"config": {"sample_rate": 8000, "call_id": call, "track": track}})
    ws.binary(PCM)
    ws.binary(PCM)
    ws.text('{"eof": 1}')


def audiohook(ws: WebSocket, call: str, track: str) -> None:
    channel = {"agent": "internal", "customer": "external"}[track]
    media = [{"type": "audio", "format": "PCMU", "channels": [channel], "rate": 8000}]
    head = {"version": "2", "id": "s", "seq": 1, "serverseq": 0, "position": "PT0S"}
    ws.text({**head, "type": "open", "parameters": {"conversationId": call, "media": media}})
    ws.binary(SILENCE * 2)


SPEAK: dict[str, Spoken] = {
    "/v1/streams/twilio": twilio,
    "/v1/streams/audio": audio,
    "/v1/streams/vosk": vosk,
    "/v1/streams/audiohook": audiohook,
}
"""By path, what begins a call in the socket's protocol and sends two seconds of silence. Add each new socket here."""


def answers(ws: WebSocket) -> str:
    """All that the server says until it closes the socket. Fails if it does not close it."""
    ws.sock.settimeout(20)
    said = []
    while True:
        opcode, payload = ws.receive()
        said.append(payload.decode(errors="replace"))
        if opcode == CLOSE:
            return "\n".join(said)


@pytest.mark.parametrize("track", ["agent", "customer"])
def test_no_socket_tells_a_key_that_may_only_send_of_anothers_call(
    track: str, web: Web, valkey: Server, line: Line, spy: dict[str, str], store: redis.Redis
) -> None:
    before = told(store)
    for path in sockets(valkey):
        for call in (LIVE, DONE):
            for query in ("", f"?call_id={call}&track={track}"):
                ws = WebSocket(web.url.replace("http", "ws") + path + query, spy)
                SPEAK[path](ws, call, track)
                said = answers(ws)
                assert not secret_in(said), (path, query, said)
                assert "another sender" in said, (path, query, said)
    assert told(store) == before, "it took the call over"


def test_no_socket_opens_for_an_agent(web: Web, valkey: Server, line: Line, amy: dict[str, str]) -> None:
    paths = [*sockets(valkey), "/socket.io/?EIO=4&transport=websocket"]
    assert len(paths) > 4
    for path in paths:
        with pytest.raises(Refused) as refused:
            WebSocket(web.url.replace("http", "ws") + path, amy)
        assert refused.value.status == 403, path


def test_the_pages_socket_does_not_open_for_a_key_that_may_only_send(web: Web, line: Line, spy: dict[str, str]) -> None:
    for transport in ("polling", "websocket"):
        path = f"/socket.io/?EIO=4&transport={transport}"
        assert requests.get(web.url + path, headers=spy, timeout=10).status_code == 403
        with pytest.raises(Refused) as refused:
            WebSocket(web.url.replace("http", "ws") + path, spy)
        assert refused.value.status == 403


# -- what it does hear ------------------------------------------------------------------------------------


def decode(web: Web, key: dict[str, str], call: str, samples: int, end: bool = False) -> requests.Response:
    asked = {"audio": [0] * samples, "sample_rate": 8000, "id": call, "do_finalize": end}
    return requests.post(f"{web.url}/decode", json=asked, headers=key, timeout=30)


def test_a_conversation_is_answered_to_its_own_key_only_and_what_was_sent_elsewhere_is_none(
    web: Web, line: Line, spy: dict[str, str], store: redis.Redis
) -> None:
    other = bearer(Access(store).api_keys.add("pbx", ("ingest",)))
    assert decode(web, spy, "mine", 8000).json()["hstr"] == ""
    mine = Line(store, line.assessor, ["customer"], "mine", Sender("key spy decode", reads=False))
    mine.decode("customer", 0, "an echidna")
    assert decode(web, spy, "mine", 0).json()["hstr"] == "an echidna"
    refused = decode(web, other, "mine", 0)
    assert (refused.status_code, refused.json()["reason"]) == (403, "another_sender")
    assert decode(web, other, LIVE, 0).status_code == 403, "the key's own call, but sent another way"
    url = f"{web.url}/v1/calls/mine/tracks/customer/chunks"
    assert requests.post(url, SILENCE, headers={**spy, "Content-Type": "audio/PCMU"}, timeout=10).status_code == 403
    both = bearer(Access(store).api_keys.add("crm", ("ingest", "read")))
    assert "quokka" in decode(web, both, LIVE, 0).text, "a key that may read gets it here too"


def talk(valkey: Server, store: redis.Redis, track: str, sender: Sender = PBX) -> Callable[[bytes], str]:
    """A vosk socket on the live call. The result takes audio and returns the answer."""
    parser = VoskParser({"call_id": LIVE, "track": track, "sample_rate": "8000"})
    made = VoskTalk(open_store(Settings(redis_url=valkey.url), store), parser, sender)

    def say(audio: bytes) -> str:
        made._looked_at = 0.0
        [answer] = made.take(audio)
        return str(answer)

    return say


def nobody_speaks(store: redis.Redis) -> None:
    """The agent's open utterance ends without words."""
    store.hset(keys.track(LIVE, "agent"), mapping={"partial": "", "open_seq": 2})


def test_a_socket_hears_of_its_own_audio_only(valkey: Server, store: redis.Redis, line: Line) -> None:
    """Even the call's own key does not hear what was said before the socket came, or what came another way."""
    say = talk(valkey, store, "agent")
    assert json.loads(say(PCM)) == {"partial": ""}
    nobody_speaks(store)
    line.decode("agent", 1.0, "an echidna")
    assert json.loads(say(bytes(2)))["text"] == "an echidna"
    store.hset(keys.track(LIVE, "agent"), "partial", "and another")
    assert json.loads(say(bytes(2))) == {"partial": "and another"}
    assert line.ingest.put(LIVE, "agent", None, CHUNK, sender=PBX).outcome == "OK"
    store.hset(keys.track(LIVE, "agent"), "partial", "the wombat is")
    assert json.loads(say(bytes(2))) == {"partial": ""}
    line.decode("agent", 2.0, "no quokka")
    assert json.loads(say(bytes(2))) == {"partial": ""}, "this audio came another way"
    assert json.loads(say(PCM))["partial"] == ""
    line.decode("agent", 3.1, "at last")
    assert json.loads(say(bytes(2)))["text"] == "at last"


def test_a_socket_that_comes_within_an_utterance_does_not_hear_it(
    valkey: Server, store: redis.Redis, line: Line
) -> None:
    nobody_speaks(store)
    line.ingest.put(LIVE, "agent", None, CHUNK, sender=PBX)
    say = talk(valkey, store, "agent")
    say(PCM)
    line.decode("agent", 1.5, "a quokka")
    assert not secret_in(say(bytes(2)))


def test_a_socket_whose_sender_may_read_hears_all(valkey: Server, store: redis.Redis, line: Line) -> None:
    assert "quokka" in talk(valkey, store, "agent", Sender("key crm", reads=True))(PCM)
