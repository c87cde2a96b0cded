"""scripts/call and scripts/rules, as somebody at a terminal uses them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts.machine.programs import free_port
from scripts.simulator.call import follow
from scripts.simulator.telephony import Answer, Api

ROOT = Path(__file__).resolve().parents[3]


class Patient(BaseHTTPRequestHandler):
    """Takes every chunk, and never has words to show."""

    protocol_version = "HTTP/1.1"
    chunk = threading.Event()

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.command == "PUT":
            self.chunk.set()
        self.send_response({"PUT": 202, "POST": 201, "GET": 404}[self.command])
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT  # noqa: N815 (http.server's names)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Patient) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def recording(path: Path, seconds: int, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(2 * channels * 8000 * seconds))
    return path


def call(*arguments: object) -> subprocess.Popen[str]:
    # A test that runs in the background ignores SIGINT. What it starts must not, as in a terminal.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "scripts.simulator.call", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_ctrl_c_ends_it_in_mid_call(url: str, tmp_path: Path) -> None:
    Patient.chunk.clear()
    process = call("--url", url, recording(tmp_path / "long.wav", 600))
    try:
        assert Patient.chunk.wait(60)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.communicate()


def test_words_that_were_hidden_at_first_are_printed_when_they_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = {"id": "agent:0", "track": "agent", "start": 1.5, "text": "call ***"}
    answers = iter([("live", "call ***"), ("live", "call ***"), ("ended", "call nine nine nine")])

    class Answers(Api):
        def ask(self, *_: object, **__: object) -> Answer:
            state, text = next(answers)
            return 200, {"state": state, "tracks": {}, "utterances": [{**said, "text": text}]}, {}

    follow(Answers("http://127.0.0.1:1"), "c", threading.Event())
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("agent     call ***") and second == "   1.50* agent     call nine nine nine"


def test_what_cannot_be_is_said_in_one_line(tmp_path: Path) -> None:
    mono, stereo = recording(tmp_path / "mono.wav", 1), recording(tmp_path / "stereo.wav", 1, channels=2)
    for arguments, reason in (
        (("--url", "http://127.0.0.1:80800", mono), "'http://127.0.0.1:80800' is not an http:// address"),
        (("--agent", stereo), f"{stereo}: 2 channels; at most 1 work here"),
    ):
        process = call(*arguments)
        assert process.communicate(timeout=60) == ("", f"call: {reason}\n")
        assert process.returncode == 1


def test_a_dead_address_is_told_within_seconds(tmp_path: Path) -> None:
    process = call("--url", f"http://127.0.0.1:{free_port()}", recording(tmp_path / "mono.wav", 1))
    assert process.communicate(timeout=60) == ("", "call: gave up after 5 s: [Errno 111] Connection refused\n")
    assert process.returncode == 1


def test_rules_say_that_nobody_answers() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "scripts.operating.rules", "--url", url, "show"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    said = f"rules: nobody answers at {url}; is the web process running? (--url, PORT)\n"
    assert (ended.returncode, ended.stderr) == (1, said)
