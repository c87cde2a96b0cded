"""One turn of a socket's call: it takes the messages, and perhaps ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

import msgspec
import redis

from state.calls.streams import OtherSender
from webapp.streams.events import Message, Parser, ProtocolError
from webapp.streams.insisting import TryLater
from webapp.streams.wire import IN_ORDER
from webapp.streams.writer import CallEnded, Superseded

log = logging.getLogger("earshot.web.streams")

End = tuple[int, str]
"""Code and reason with which we close."""


class Talk(Protocol):
    """The talk on a socket: a StreamedCall, or one that answers with the fleet's words."""

    @property
    def stopped(self) -> bool: ...

    @property
    def call_id(self) -> str | None: ...

    @property
    def due_seconds(self) -> float: ...

    def take(self, message: Message) -> list[Message]: ...

    def tick(self) -> None: ...

    def stop(self) -> None: ...

    def drop(self) -> None: ...


class Turn(msgspec.Struct):
    """The beginning of a turn. gone: the sender's close code, if it has closed. welcome: asks whether it may still
    send, if it is time to ask."""

    messages: list[Message]
    gone: int | None
    stopping: bool
    welcome: Callable[[], bool] | None


class _Over(Exception):
    """The socket is to be closed: code, reason."""


def take_turn(parser: Parser, talk: Talk, turn: Turn, say: Callable[[list[Message]], object]) -> End | None:
    """Take what came. Returns how to close the socket, or None if it goes on. say: sends messages. It may wait."""
    try:
        _take(parser, talk, turn, say)
        if not talk.stopped:
            return None
        code, reason = 1000, ""
    except _Over as over:
        code, reason = over.args
    except ProtocolError as error:
        code, reason = 1007, str(error)
    except CallEnded:
        code, reason = 1000, "the call has ended"
    except Superseded:
        code, reason = 1008, "another socket sends this track now"
    except OtherSender:
        code, reason = 1008, "the call is another sender's"
    except (TryLater, redis.RedisError):
        code, reason = 1013, "try again later"
    except Exception:
        log.exception("a socket failed")
        code, reason = 1011, "the server failed"
    log.info("stream ends", extra={"call_id": talk.call_id, "stopped": talk.stopped, "code": code, "reason": reason})
    try:
        talk.drop()
    except Exception:
        log.exception("a socket failed at its end")
    return code, reason


def _take(parser: Parser, talk: Talk, turn: Turn, say: Callable[[list[Message]], object]) -> None:
    for message in turn.messages:
        if replies := talk.take(message):
            say(replies)
        if talk.stopped:
            return
    if turn.gone is not None:
        if parser.close_ends and turn.gone in IN_ORDER:
            _hang_up(talk)
        raise _Over(turn.gone, "the sender closed")
    if turn.welcome is not None and not turn.welcome():
        raise _Over(1008, "the key was revoked")
    if turn.stopping:
        if farewell := parser.farewell():
            say(farewell)
        raise _Over(1012, "restarting: come back")
    talk.tick()


def _hang_up(talk: Talk) -> None:
    """The sender has closed properly, which ends the call."""
    try:
        talk.stop()
    except (CallEnded, Superseded, OtherSender, ProtocolError, TryLater, redis.RedisError) as error:
        log.info("a closed socket's last audio was not taken", extra={"call_id": talk.call_id, "why": repr(error)})
