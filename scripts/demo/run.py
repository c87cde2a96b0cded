"""scripts/run: runs everything on this machine and plays demo calls as live telephony. Ctrl-C stops it all."""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import redis

from scripts.demo.address import CannotListen, address, check_port
from scripts.demo.claim import AtWork, Claim
from scripts.demo.playing import Stopped, check, play_for_ever, play_once, say
from scripts.demo.processes import Processes
from scripts.machine.programs import READY_SECONDS, ROOT
from scripts.machine.server import EmbeddedServer, ServerNotStarted
from scripts.operating.store import Operator
from scripts.simulator.telephony import Api, CallFailed
from state.credentials import make_key, make_password
from state.server.connection import ServerUnfit, check_server, connect
from state.server.opening import open_shards
from state.server.unreachable import told
from state.settings import Settings, SettingsError, load

SETTLE_SECONDS = 15.0
"""Most seconds to wait for the processes of a killed run. They take 10 s to end."""


FIRST_USER, FIRST_KEY, RUN_KEY = "admin", "first", "scripts-run"
"""Account and key that the first run makes, and the key that each run makes for its own calls."""


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/run", description=__doc__)
    parser.add_argument("--once", action="store_true", help="play the demo once, fast, print the table and end")
    parser.add_argument("--no-demo", action="store_true", help="serve, and play nothing")
    parser.add_argument(
        "--host",
        default=os.environ.get("WEB_ADDRESS") or "127.0.0.1",
        metavar="ADDR",
        help="address to listen on (127.0.0.1: only this machine; 0.0.0.0: every IPv4 address; ::: every address)",
    )
    parser.add_argument("--port", type=int, default=os.environ.get("PORT") or "8000", help="port of the page (8000)")
    parser.add_argument("--decoders", type=int, default=0, metavar="N", help="number of decode loops (one a core)")
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="folder of the embedded server and the logs")
    options = parser.parse_args(argv)
    if options.once and options.no_demo:
        parser.error("--once plays the demo; --no-demo does not")
    if not 1 <= options.port <= 65535 or not 0 <= options.decoders <= 256:
        parser.error("--port is 1..65535, --decoders 0..256")
    return options


def main(argv: list[str]) -> int:
    """Entry point; exit status 0, or 1 and one line on stderr."""
    options = arguments(argv)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopping.set())
    environ = dict(os.environ, PORT=str(options.port), WEB_ADDRESS=options.host)
    data: Path = options.data.resolve()
    claim: Claim | None = None
    server: EmbeddedServer | None = None
    processes: Processes | None = None
    try:
        claim = Claim(data, os.getpid())
        if claim.killed:
            say(f"the last run (process {claim.killed}) was killed. This run goes on with what it had accepted")
        check_port(options.host, options.port, stopping, SETTLE_SECONDS if claim.killed else 0.0)
        environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{environ.get('PATH', '')}"
        environ["DECODER_LOOPS"] = str(options.decoders) if options.decoders else environ.get("DECODER_LOOPS", "0")
        if not environ.get("REDIS_URL") and not environ.get("REDIS_TLS_URL"):
            server = EmbeddedServer(data / "server")
            environ["REDIS_URL"] = server.url
            say(f"embedded server on port {server.port}, data in {data / 'server'}")
        if not environ.get("DATABASE_URL"):
            environ["DATABASE_URL"] = f"sqlite:///{data / 'archive.db'}"
        if not environ.get("RECORDINGS"):
            environ["RECORDINGS"] = str(data / "recordings")
        key = make_key()  # of this run: the demo player's
        environ["API_KEYS"] = ",".join(filter(None, [environ.get("API_KEYS", ""), f"{RUN_KEY}:ingest+read:{key}"]))
        settings = load(environ)
        if server is None:
            warn_of_risks(settings)
        processes = Processes(ROOT, data / "logs", environ)
        processes.start()
        url = address(options.host, options.port)
        engine = wait_until_ready(url, processes, stopping, data / "logs")
        lines = ["AUTH=off: nobody needs a sign-in or a key here"]
        if settings.auth == "on":
            lines = welcome(Operator(open_shards(settings, "command")), key)
        print(f"Earshot is at {url}   (speech engine: {engine}; logs in {data / 'logs'})", *lines, sep="\n", flush=True)
        if options.once:
            return play_once(url, key, processes, stopping)
        play_for_ever(url, key, processes, stopping, options.no_demo)
        return 0
    except Stopped as reason:
        if str(reason):
            sys.stderr.write(f"run: {reason}\n")
            return 1
        return 130 if options.once else 0
    except (AtWork, CannotListen, ServerNotStarted, ServerUnfit, CallFailed, SettingsError, OSError) as error:
        sys.stderr.write(f"run: {error}\n")
        return 1
    except redis.RedisError as error:
        sys.stderr.write(f"run: {told(load(environ).redis_url, error)}\n")
        return 1
    finally:
        if processes:
            say("stopping: processes finish what they have in hand, up to 10 s")
            processes.stop()
        if server:
            server.stop()
        if claim:
            claim.release()


def warn_of_risks(settings: Settings) -> None:
    """Warn of what is wrong with a server that is not ours. Raises ServerUnfit, and redis.RedisError if it is away."""
    info: dict[str, Any] = check_server(connect(settings, "command"))
    for risk in info["risks"]:
        say(f"warning: {risk}")


def welcome(at: Operator, run_key: str) -> list[str]:
    """What to say about the sign-in. The first run makes an account and a key, and only it knows them."""
    if at.access.users.all():
        return [
            "Sign in as before (a new password: scripts/users password NAME; all accounts: scripts/users list)",
            f"API key for this run: {run_key}   (for longer: scripts/keys add NAME --scopes ingest+read)",
        ]
    password = make_password()
    at.access.users.add(FIRST_USER, "admin", password)
    at.record("user-added", f"{FIRST_USER} (admin)")
    if any(key.name == FIRST_KEY for key in at.access.api_keys.all()):  # nobody knows that key: its owner is gone
        at.access.api_keys.revoke(FIRST_KEY)
    key = at.access.api_keys.add(FIRST_KEY, ("ingest", "read"))
    at.record("key-made", f"{FIRST_KEY} (ingest+read)")
    return [
        f"Sign in as: {FIRST_USER}   password: {password}",
        f"API key: {key}",
        "You see both only this once. Nobody can recover them later.",
    ]


def wait_until_ready(url: str, processes: Processes, stopping: threading.Event, logs: Path) -> str:
    """Wait for /readyz. Returns the engine's name."""
    say("starting; loading the speech model")
    api = Api(url)
    deadline = time.monotonic() + READY_SECONDS
    reasons: Any = "the web process does not answer"
    while time.monotonic() < deadline:
        check(processes, stopping)
        try:
            status, body, _ = api.ask("GET", "/readyz")
            if status == 200:
                return str(body.get("model", "?"))
            reasons = body.get("reasons", body)
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.2)
    raise Stopped(f"not ready after {READY_SECONDS:.0f} s: {reasons}; see {logs}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
