"""For all stream tests: a fleet with a real engine, a streams and a web process, and a transcript made over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import msgspec
import pytest
import redis
import requests

from state import keys
from tests.harness.calls.engines import english
from tests.harness.fleet import Fleet
from tests.harness.servers import Server, start_server
from tests.harness.web import Web, streams_process, web_process

GRACE_SECONDS = 3.0


def samples(store: redis.Redis, call_id: str, track: str = "customer") -> int:
    """Samples of a track that have come into its journal."""
    return int(store.hget(keys.track(call_id, track), "samples") or 0)


class House(msgspec.Struct):
    """Everything a call needs, and the call: its parties as mu-law at 8000 Hz and its transcript over HTTP. Both
    processes take sockets."""

    fleet: Fleet
    streams: Web
    web: Web
    parties: dict[str, bytes]
    transcript: dict[bytes, bytes]

    def address(self, path: str, at_web: bool = False) -> str:
        """Where a socket connects: at the streams process, or at the web process."""
        return f"ws://127.0.0.1:{(self.web if at_web else self.streams).port}{path}"

    def call_id(self) -> str:
        return f"call-{uuid.uuid4().hex[:12]}"

    def finished(self, call_id: str) -> dict[bytes, bytes]:
        """The transcript, once the call is ended and decoded."""
        self.fleet.wait_finished([call_id])
        return self.fleet.transcript(call_id)

    def taken(self, call_id: str) -> int:
        """Samples in the journal of the call's track that has fewer."""
        return min(samples(self.fleet.redis, call_id, track) for track in self.parties)

    def metadata(self, call_id: str) -> dict[str, str]:
        view = self.fleet.reads.call(call_id)
        assert view is not None
        return view.metadata


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    server: Server = start_server("valkey9", dir=folder / "server")
    environ = {"STREAM_GRACE_SECONDS": str(GRACE_SECONDS)}
    fleet = Fleet(server, folder, EARSHOT_ENGINE="moonshine", **environ)
    try:
        fleet.start("decoder", DECODER_LOOPS="2")
        with (
            streams_process(server.url, folder / "streams.log", **environ) as streams,
            web_process(server.url, folder / "web.log", **environ) as web,
        ):
            chunks = english()
            for party, sent in chunks.items():
                for n, chunk in enumerate(sent):
                    url = f"{web.url}/v1/calls/http/tracks/{party}/chunks/{n + 1}"
                    answer = requests.put(url, chunk.audio, headers={"Content-Type": "audio/PCMU"}, timeout=10)
                    assert answer.status_code == 202, answer.text
            requests.post(f"{web.url}/v1/calls/http/end", timeout=10)
            fleet.wait_finished(["http"])
            transcript = fleet.transcript("http")
            assert len(transcript) >= 4
            parties = {party: b"".join(chunk.audio for chunk in sent) for party, sent in chunks.items()}
            yield House(fleet, streams, web, parties, transcript)
    finally:
        fleet.kill_all()
        server.kill()
