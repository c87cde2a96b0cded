"""A real nginx with deploy/nginx/earshot.conf, over TLS, in front of a real web and a real streams process."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
import requests
import websocket

from scripts.machine.programs import free_port
from state.people.access import Access
from tests.harness.page import Page
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, bearer, csrf_of
from tests.harness.web import Web, streams_process, wait_until, web_process
from webapp.worker import SILENT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


@dataclass
class Site:
    """The addresses that clients see: `url` over TLS with `certificate`, and `plain` without TLS."""

    url: str
    plain: str
    certificate: str
    web: Web
    streams: Web


@pytest.fixture(scope="module")
def site(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("nginx")
    key, certificate = folder / "privkey.pem", folder / "fullchain.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    plain, tls = free_port(), free_port()
    environ = {"AUTH": "on", "TRUSTED_PROXIES": "1", "WEB_THREADS": "16"}
    with (
        web_process(valkey.url, folder / "web.log", **environ) as web,
        streams_process(valkey.url, folder / "streams.log", **environ) as streams,
    ):
        text = (ROOT / "deploy/nginx/earshot.conf").read_text()
        for ours, here in {
            "127.0.0.1:8000": f"127.0.0.1:{web.port}",
            "127.0.0.1:8001": f"127.0.0.1:{streams.port}",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{tls} ssl http2;",
            "/etc/earshot/tls": str(folder),
            "earshot.example.com": "localhost",
        }.items():
            assert ours in text
            text = text.replace(ours, here)
        text = re.sub(r"(?m)^ +listen \[::\].*\n", "", text)
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
            f"http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n"
            f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n{text}}}\n"
        )
        assert NGINX, "scripts/setup --dev installs nginx"
        with (folder / "nginx.log").open("wb") as log:
            nginx = subprocess.Popen(
                [NGINX, "-c", folder / "nginx.conf"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            found = Site(f"https://localhost:{tls}", f"http://localhost:{plain}", str(certificate), web, streams)
            wait_until(lambda: open_port(tls), f"nginx listens; see {folder / 'nginx.log'}")
            yield found
        finally:
            nginx.terminate()
            assert nginx.wait(20) == 0


def open_port(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_chunks_sign_in_and_refusals_go_through(site: Site, store: redis.Redis) -> None:
    access = Access(store)
    key = access.api_keys.add("pbx", ("ingest", "read"))
    access.users.add("anna", "supervisor", PASSWORD)
    with requests.Session() as world:
        world.trust_env, world.verify = False, site.certificate
        moved = world.get(f"{site.plain}/calls", allow_redirects=False, timeout=30)
        assert (moved.status_code, moved.headers["Location"]) == (301, "https://localhost/calls")
        chunk = world.put(
            f"{site.url}/v1/calls/one/tracks/customer/chunks/1",
            data=bytes(8000),
            headers=bearer(key) | {"Content-Type": "audio/basic"},
            timeout=30,
        )
        assert chunk.status_code == 202, chunk.text
        large = world.post(f"{site.url}/decode", data=bytes(3 << 20), headers=bearer(key), timeout=30)
        assert large.status_code == 413
        assert world.get(f"{site.url}/metrics", headers=bearer(key), timeout=30).status_code == 404
        token = csrf_of(world.get(f"{site.url}/sign-in", timeout=30).text)
        form = {"csrf_token": token, "name": "anna", "password": PASSWORD}
        signed = world.post(
            f"{site.url}/sign-in", data=form, headers={"Referer": site.url}, allow_redirects=False, timeout=30
        )
        assert signed.status_code == 303, signed.text
        assert all(cookie.secure for cookie in world.cookies), "the browser sends it over TLS only"
        assert world.get(f"{site.url}/v1/calls/one", timeout=30).status_code == 200


def test_the_live_table_and_a_stream_go_through(
    site: Site, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Access(store).api_keys.add("pbx", ("ingest", "read"))
    monkeypatch.setenv("SSL_CERT_FILE", site.certificate)
    monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", site.certificate)
    with Page(site.url, bearer(key)) as page:
        wait_until(lambda: page.snapshots, "a snapshot over TLS")
        speak(site, key, "streamed")
        wait_until(lambda: "streamed" in page.calls, "the stream's call is on the page")
    assert "call_id=streamed" in site.streams.output.read_text(), "the stream is in the process for streams"


def test_streams_go_to_the_web_process_while_their_own_is_away(
    site: Site, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Access(store).api_keys.add("pbx", ("ingest",))
    monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", site.certificate)
    site.streams.terminate(10)
    speak(site, key, "meanwhile")
    assert "call_id=meanwhile" in site.web.output.read_text()
    site.streams.start()
    names = (f"again-{n}" for n in itertools.count())  # a call whose stream has closed soon ends

    def taken_back() -> bool:
        speak(site, key, next(names))
        return "call_id=again-" in site.streams.output.read_text()

    wait_until(taken_back, "nginx sends streams to their own process again")


def speak(site: Site, key: str, call_id: str) -> None:
    """Send a second of audio as a client of vosk-server does, and get its answer."""
    stream = websocket.create_connection(
        f"{site.url.replace('https', 'wss')}/v1/streams/vosk?call_id={call_id}&track=customer",
        header=[f"Authorization: Bearer {key}"],
        sslopt={"ca_certs": site.certificate, "cert_reqs": ssl.CERT_REQUIRED},
        timeout=30,
    )
    try:
        stream.send('{"config": {"sample_rate": 8000}}')
        stream.send_binary(bytes(16000))
        assert "partial" in stream.recv()
    finally:
        stream.close()


def test_half_a_request_occupies_no_thread_of_ours(site: Site, store: redis.Redis) -> None:
    """More strangers than the process has threads send half a request, and nginx holds all of them back."""
    host, port = site.url.removeprefix("https://").split(":")
    context = ssl.create_default_context(cafile=site.certificate)
    strangers = []
    try:
        for _ in range(40):
            raw = socket.create_connection((host, int(port)), timeout=30)
            stranger = context.wrap_socket(raw, server_hostname=host)
            strangers.append(stranger)
            stranger.sendall(b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nname=")
        soon = SILENT_SECONDS - 5  # half a request would occupy its thread for longer
        assert requests.get(f"{site.url}/healthz", verify=site.certificate, timeout=soon).status_code == 200
        assert requests.get(f"{site.web.url}/healthz", timeout=soon).status_code == 200
    finally:
        for stranger in strangers:
            stranger.close()
