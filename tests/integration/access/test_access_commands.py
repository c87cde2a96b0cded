"""The commands scripts/keys, scripts/users and scripts/audit, and the first sign-in of scripts/run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis
import requests

from scripts.machine.programs import free_port
from scripts.machine.server import EmbeddedServer, ServerNotStarted, running_url
from state.people.access import Access
from state.settings import Settings
from tests.harness.servers import Server
from tests.harness.signing_in import bearer, try_sign_in
from tests.harness.web import PATIENCE_SECONDS, ROOT
from webapp.app import create_app


def command(name: str, *arguments: str, stdin: str = "", **environ: str) -> tuple[int, str, str]:
    """Run scripts/<name>; returns its exit status, stdout and stderr."""
    done = subprocess.run(
        [str(ROOT / "scripts" / name), *arguments],
        cwd=ROOT,
        env={**os.environ, **environ},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


@pytest.fixture
def at(valkey: Server, store: redis.Redis) -> dict[str, str]:
    """An environment that names the test's server."""
    return {"REDIS_URL": valkey.url}


def test_a_key_is_made_listed_used_and_revoked(valkey: Server, store: redis.Redis, at: dict[str, str]) -> None:
    status, key, _ = command("keys", "add", "PBX", "--scopes", "ingest+read", **at)
    assert status == 0 and re.fullmatch(r"esk_[A-Za-z0-9_-]{43}", key)
    http = create_app(Settings(redis_url=valkey.url)).test_client()
    assert http.get("/v1/calls", headers=bearer(key)).status_code == 200
    status, listed, _ = command("keys", "list", API_KEYS="crm:read:geheim-geheim-geheim", **at)
    assert status == 0 and key not in listed and "geheim" not in listed
    head, given, made = listed.splitlines()
    assert head.split() == ["NAME", "KEY", "SCOPES", "MADE", "LAST", "USED"]
    assert given.split()[0] == "crm" and "API_KEYS" in given
    assert made.split()[:3] == ["pbx", f"{key[:10]}…", "ingest+read"] and made.count("Z") >= 2

    assert command("keys", "add", "pbx", **at)[0] == 1
    assert command("keys", "revoke", "pbx", **at)[0] == 0
    assert http.get("/v1/calls", headers=bearer(key)).status_code == 401
    status, _, error = command("keys", "revoke", "pbx", **at)
    assert (status, error) == (1, "keys: there is no key named pbx")
    status, trail, _ = command("audit", **at)
    assert [line.split()[5] for line in trail.splitlines()[1:] if "command" in line] == ["key-revoked", "key-made"]
    assert status == 0 and key not in trail


def test_a_key_of_a_name_that_also_stands_in_the_environment_is_revoked(
    valkey: Server, store: redis.Redis, at: dict[str, str]
) -> None:
    _, key, _ = command("keys", "add", "pbx", "--scopes", "read", **at)
    http = create_app(Settings(redis_url=valkey.url)).test_client()
    assert http.get("/v1/calls", headers=bearer(key)).status_code == 200
    status, _, error = command("keys", "revoke", "pbx", API_KEYS="pbx:read:geheim-geheim-geheim", **at)
    assert status == 1 and error.startswith("keys: pbx is in API_KEYS"), "the key in the environment is still good"
    assert http.get("/v1/calls", headers=bearer(key)).status_code == 401


def test_an_account_is_made_changed_and_removed(valkey: Server, store: redis.Redis, at: dict[str, str]) -> None:
    app = create_app(Settings(redis_url=valkey.url))
    status, password, _ = command("users", "add", "Dana", **at)
    assert status == 0 and len(password) >= 20
    assert try_sign_in(app.test_client(), "dana", password).status_code == 303
    assert command("users", "password", "dana", "--password-stdin", stdin="a password of my own\n", **at)[:2] == (0, "")
    assert try_sign_in(app.test_client(), "dana", password).status_code == 403
    http = app.test_client()
    assert try_sign_in(http, "dana", "a password of my own").status_code == 303
    assert command("users", "role", "dana", "admin", **at)[0] == 0
    assert http.get("/v1/session").status_code == 401, "a new role begins with a new sign-in"
    assert command("users", "list", **at)[1].splitlines()[1].split()[:3] == ["dana", "account", "admin"]
    assert command("users", "remove", "dana", **at)[0] == 0
    assert command("users", "list", **at)[1].splitlines()[1:] == []
    trail = command("audit", **at)[1]
    for what in ("user-added", "password-set", "role-set", "user-removed"):
        assert what in trail
    assert password not in trail


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (["keys", "add", "x y"], "", "keys: a name is"),
        (["keys", "add", "x", "--scopes", "admin"], "", "keys: scopes are"),
        (["users", "add", "x", "--password-stdin"], "short\n", "users: a password has"),
        (["users", "password", "nobody"], "", "users: there is no account nobody"),
        (["users", "remove", "nobody"], "", "users: there is no account nobody"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_and_changes_nothing(
    arguments: list[str], stdin: str, said: str, at: dict[str, str], store: redis.Redis
) -> None:
    status, output, error = command(*arguments, stdin=stdin, **at)
    assert (status, output) == (1, "") and error.startswith(said) and "\n" not in error
    assert store.dbsize() == 0


def test_without_a_store_the_commands_say_so(tmp_path: Path) -> None:
    nowhere = {"REDIS_URL": "", "REDIS_TLS_URL": ""}
    assert "no REDIS_URL" in command("keys", "--data", str(tmp_path), "list", **nowhere)[2]
    assert "does not answer" in command("keys", "list", REDIS_URL="redis://127.0.0.1:1")[2]


def test_the_commands_find_the_embedded_server_whether_it_runs_or_not(tmp_path: Path) -> None:
    folder, options = tmp_path / "server", ["--data", str(tmp_path)]
    nowhere = {"REDIS_URL": "", "REDIS_TLS_URL": ""}
    server = EmbeddedServer(folder)
    try:
        assert running_url(folder) == server.url
        with pytest.raises(ServerNotStarted, match="already"):
            EmbeddedServer(folder, patience_seconds=0)
        status, key, _ = command("keys", *options, "add", "pbx", **nowhere)
        with redis.Redis.from_url(server.url, protocol=2) as client:
            found = Access(client).api_keys.find(key)
        assert status == 0 and found is not None and found.name == "pbx"
    finally:
        server.stop()
    assert running_url(folder) is None
    assert "pbx" in command("keys", *options, "list", **nowhere)[1]
    assert running_url(folder) is None, "the command has stopped the server that it started"


class Run:
    """Runs scripts/run with an engine that needs no model. Entering returns what it printed until it served."""

    def __init__(self, data: Path, **environ: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        clean = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "API_KEYS", "AUTH")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.output = data / "run.out"
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "scripts.demo.run", "--no-demo", "--port", str(self.port), "--data", str(data)],
                cwd=ROOT,
                env={**clean, "PATH": path, "EARSHOT_ENGINE": "stub", "DECODER_LOOPS": "1", **environ},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> str:
        deadline = time.monotonic() + 2 * PATIENCE_SECONDS
        while not re.search(r"API key.*\n|AUTH=off.*\n", self.output.read_text()):
            assert self._process.poll() is None and time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.1)
        return self.output.read_text()

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            assert self._process.wait(30) == 0
        finally:
            self._process.kill()


def test_the_first_run_makes_a_sign_in_and_a_key_and_later_ones_keep_them(tmp_path: Path) -> None:
    first = Run(tmp_path)
    with first as printed:
        said = re.search(r"Sign in as: (\S+)   password: (\S+)\nAPI key: (esk_\S+)\n", printed)
        assert said, printed
        name, password, key = said.groups()
        assert requests.get(f"{first.url}/v1/calls", timeout=10).status_code == 401
        assert requests.get(f"{first.url}/v1/calls", headers=bearer(key), timeout=10).status_code == 200
        session = requests.Session()
        form = re.search(r'csrf_token" value="([^"]+)', session.get(first.url, timeout=10).text)
        assert form
        fields = {"csrf_token": form[1], "name": name, "password": password}
        assert session.post(f"{first.url}/sign-in", data=fields, timeout=10).url == f"{first.url}/"
        assert session.get(f"{first.url}/v1/audit", timeout=10).json()["entries"][0]["what"] == "sign-in"
    second = Run(tmp_path)
    with second as printed:
        assert "Sign in as before" in printed and "scripts/users password" in printed and password not in printed
        this_run = re.search(r"esk_\S+", printed)
        assert this_run and this_run[0] != key
        for good in (key, this_run[0]):
            assert requests.get(f"{second.url}/v1/calls", headers=bearer(good), timeout=10).status_code == 200
        assert session.get(f"{second.url}/v1/session", timeout=10).json()["name"] == name, "still signed in"
    for log in tmp_path.glob("logs/*.log"):
        assert not {password, key, this_run[0]} & set(re.split(r"[\s=\"']", log.read_text())), log


def test_a_platform_without_an_environment_of_ours_runs_the_commands(
    valkey: Server, store: redis.Redis, at: dict[str, str], tmp_path: Path
) -> None:
    """The python3 on the path has the packages. There is no .venv and no npm, and nobody ran the set-up."""
    for folder in ("scripts", "state", "workers"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (programs / "python3").chmod(0o755)

    def run(name: str, *arguments: str) -> str:
        command = [str(tmp_path / "scripts" / name), *arguments]
        environ = {**at, "PATH": f"{programs}:/usr/bin:/bin"}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert len(run("users", "add", "dana").strip()) > 10
    assert "dana" in run("users", "list")
    assert run("keys", "add", "pbx").startswith("esk_")
    assert "user-added" in run("audit")
    assert run("dead", "list") == ""
    assert "rules" in run("rules", "--help")
    assert not (tmp_path / ".venv").exists()
