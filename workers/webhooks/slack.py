"""A message as a sentence, for receivers that understand Slack's incoming webhooks (Mattermost, Rocket.Chat, ...)."""

from __future__ import annotations

from typing import Any

import msgspec

MAX_CHARS = 500
"""Most characters of spoken or noted words."""


def rendered(body: str, page: str) -> bytes:
    """The body to send. page: address of Earshot's page, "" if it is not known."""
    told = msgspec.json.decode(body)
    return msgspec.json.encode({"text": _sentence(told["type"], told["data"], page)})


def _sentence(kind: str, data: dict[str, Any], page: str) -> str:
    named = {name: data["metadata"].get(name) for name in ("agent", "queue", "customer", "caller")}
    about = ", ".join(f"{name} {_plain(value)}" for name, value in named.items() if value)
    call = f"call {_plain(data['call_id'])}"
    if page:
        call = f"<{page}/#/calls/{data['call_id']}|{call}>"
    call += f" ({about})" if about else ""
    if kind == "call.alert":
        return f"Alert in {call}: {_plain(data['alert']['reason'])} (attention {round(data['attention'] * 100)})"
    if kind == "call.handled":
        return f"{_handled(data['handling'])}: {call}"
    if kind.startswith("help."):
        return f"{_help(kind, data['help'])}: {call}"
    if kind == "transcript.final":
        said = data["utterance"]
        return f"{_plain(said['track'])} in {call}: {_plain(said['text'])}"
    if kind == "summary.ready":
        return f"Summary of {call}: {_summary(data)}"
    return f"{'Began' if kind == 'call.started' else 'Ended'}: {call}"


def _handled(handling: dict[str, Any]) -> str:
    words = {"open": "Handed back", "acknowledged": "Seen", "snoozed": "Snoozed", "taken": "Taken"}[handling["state"]]
    return f"{words} by {_plain(handling['by'])}" if handling["by"] else "Noted"


def _help(kind: str, asked: dict[str, Any]) -> str:
    who, seconds = _plain(asked["by"]), round(asked["waited_seconds"])
    if kind == "help.answered":
        return f"{_plain(asked['answered_by'])} answered {who} after {seconds} s"
    if kind == "help.cancelled":
        return f"{who} needs no help any more"
    return f"{who} asks for help" + (f" ({_plain(asked['reason'])})" if asked["reason"] else "")


def _summary(data: dict[str, Any]) -> str:
    summary = data["summary"]
    minutes = round((summary.get("duration_seconds") or 0) / 60, 1)
    peak = summary.get("peak_attention")
    return f"{minutes} min" + (f", attention up to {round(peak * 100)}" if peak is not None else "")


def _plain(text: str) -> str:
    """The text without signs that Slack would take for a link or a mention."""
    return text[:MAX_CHARS].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
