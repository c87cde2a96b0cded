"""What a web process remembers of its pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import Flask, request

from webapp.access.identity import ANYONE
from webapp.page.open_pages import OpenPages, Page
from webapp.page.page_wire import PageWire


class Events:
    """Stands in for Socket.IO: keeps the handlers and calls them as a page's message would."""

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
    pages = OpenPages(cast(Any, socketio), cast(Any, None), lambda: None)
    pages._pages["page"] = Page("page", ANYONE, PageWire(lambda _wire: None, None))
    socketio.say("page", "follow", {"cursor": None})
    assert [page.sid for page in pages.following()] == ["page"]
    socketio.say("page", "disconnect", "transport close")
    socketio.say("page", "follow", {"cursor": None})
    socketio.say("never connected", "follow", {"cursor": None})
    assert pages.all() == [] and pages.following() == []
