"""Asterisk, by ARI. Its dialplan has a context `earshot-supervisor` (docs/TELEPHONY.md): a supervisor's phone that
answers is sent there."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import requests

from webapp.switch.base import TIMEOUT_SECONDS, Order, SwitchError

CONTEXT = "earshot-supervisor"

RING_SECONDS = 30
"""How long the supervisor's phone rings."""


class Asterisk:
    """url: of ARI, such as http://10.0.0.5:8088/ari. endpoint: of an extension, {} stands for it: PJSIP/{}."""

    def __init__(self, url: str, user: str, password: str, endpoint: str) -> None:
        self._url = url.rstrip("/")
        self._auth = (user, password)
        self._endpoint = endpoint

    def carry_out(self, order: Order) -> None:
        """See Switch.carry_out."""
        channel = f"/channels/{quote(order.channel, safe='')}"
        self._ask("GET", channel)  # a phone should not ring for a call that is over
        if order.act == "hangup":
            self._ask("DELETE", channel)
            return
        where = {"context": CONTEXT, "extension": order.act, "priority": 1}
        how = {
            "endpoint": self._endpoint.replace("{}", order.extension),
            "callerId": "Earshot",
            "timeout": RING_SECONDS,
        }
        self._ask("POST", "/channels", {"variables": {"EARSHOT_CHANNEL": order.channel}}, **where, **how)

    def _ask(self, method: str, path: str, body: Any = None, **query: Any) -> None:
        try:
            answer = requests.request(
                method, self._url + path, params=query, json=body, auth=self._auth, timeout=TIMEOUT_SECONDS
            )
        except requests.RequestException as error:
            raise SwitchError(f"Asterisk does not answer: {type(error).__name__}.") from None
        if answer.status_code == 404:
            raise SwitchError("Asterisk knows no such channel: the call may be over.")
        if not answer.ok:
            raise SwitchError(f"Asterisk answers {answer.status_code}.")
