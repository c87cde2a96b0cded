"""The part of Asterisk's REST interface that a call for tests needs."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any
from urllib.parse import urlencode

import requests
from websockets.sync.client import connect

APP = "earshot-tap"


class Ari:
    """One connection for its events, and requests beside it."""

    def __init__(self, port: int, password: str) -> None:
        self._base = f"http://127.0.0.1:{port}/ari"
        self._auth = ("earshot", password)
        query = urlencode({"app": APP, "api_key": f"earshot:{password}"})
        self._events = connect(f"ws://127.0.0.1:{port}/ari/events?{query}")

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Ask, and decode the answer. Raises requests.HTTPError."""
        answer = requests.request(method, self._base + path, params=query, json=body, auth=self._auth, timeout=10)
        answer.raise_for_status()
        return json.loads(answer.text) if answer.text else None

    def wait(self, kind: str, seconds: float = 30.0, **channel: str) -> dict[str, Any]:
        """Wait for the next event of a kind about a channel with these fields. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while True:
            event: dict[str, Any] = json.loads(self._events.recv(timeout=max(0.0, deadline - time.monotonic())))
            about = event.get("channel") or {}
            if event["type"] == kind and all(about.get(name) == value for name, value in channel.items()):
                return event

    def call(self, endpoint: str, **variables: str) -> str:
        """Call an endpoint. Returns the id of its channel, which is up and under our control."""
        channel = self.ask("POST", "/channels", {"variables": variables}, endpoint=endpoint, app=APP)
        self.wait("StasisStart", id=channel["id"])
        return str(channel["id"])

    def bridge(self, *channels: str) -> None:
        """Let channels hear each other."""
        bridge = self.ask("POST", "/bridges", type="mixing")
        self.ask("POST", f"/bridges/{bridge['id']}/addChannel", channel=",".join(channels))

    def tap(self, channel: str, context: str, track: str, **variables: str) -> None:
        """Send what `channel`'s party says into the dialplan at `context`, by a snoop channel."""
        snoop = self.ask("POST", f"/channels/{channel}/snoop", spy="in", app=APP)
        self.wait("StasisStart", id=snoop["id"])
        for name, value in variables.items():
            self.ask("POST", f"/channels/{snoop['id']}/variable", variable=name, value=value)
        self.ask("POST", f"/channels/{snoop['id']}/continue", context=context, extension=track, priority=1)

    def hang_up(self, channel: str) -> None:
        """Hang up a channel. Does nothing if it is gone already."""
        with contextlib.suppress(requests.HTTPError):
            self.ask("DELETE", f"/channels/{channel}")

    def close(self) -> None:
        self._events.close()
