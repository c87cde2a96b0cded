"""What the live table keeps of its pages."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from flask import Flask, request

from webapp.access.rights import ANYONE
from webapp.page.live import LiveTable, _Page
from webapp.page.page_wire import PageWire


class Events:
    """Stands for Socket.IO: keeps the messages and their receivers."""

    def __init__(self) -> None:
        self.handlers: dict[str, Callable[..., Any]] = {}

    def on_event(self, event: str, handler: Callable[..., Any]) -> None:
        self.handlers[event] = handler

    def say(self, sid: str, event: str, *said: Any) -> None:
        with Flask("x").test_request_context():
            cast(Any, request).sid = sid
            self.handlers[event](*said)


def test_a_follow_that_comes_after_the_disconnect_leaves_no_page_behind() -> None:
    socketio = Events()
    table = LiveTable(cast(Any, socketio), cast(Any, SimpleNamespace(now_ms=None)), cast(Any, None), lambda _who: True)
    table._started = True  # no thread reads here
    table._pages["page"] = _Page("page", ANYONE, PageWire(lambda _wire: None, None))
    socketio.say("page", "follow", {"cursor": None})
    assert [page.sid for page in table._following()] == ["page"]
    socketio.say("page", "disconnect", "transport close")
    socketio.say("page", "follow", {"cursor": None})
    socketio.say("never connected", "follow", {"cursor": None})
    assert table._pages == {} and table._following() == []
