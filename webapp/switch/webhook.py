"""Any other switch: a signed POST to an address of yours, after the Standard Webhooks specification.

The body is the order as JSON: act, call_id, channel, extension, by. webhook-signature is "v1," and, in base64, the
HMAC-SHA256 of "<webhook-id>.<webhook-timestamp>.<body>". A status of 2xx says that it is done.
"""

from __future__ import annotations

import uuid

import msgspec
import requests

from state.webhooks import signing
from webapp.switch.base import TIMEOUT_SECONDS, Order, SwitchError


class Webhook:
    """secret: what signs, as text."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret.encode()

    def carry_out(self, order: Order) -> None:
        """See Switch.carry_out."""
        body = msgspec.json.encode(order)
        headers = signing.headers(self._secret, f"msg_{uuid.uuid4().hex}", body)
        try:
            answer = requests.post(self._url, body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        except requests.RequestException as error:
            raise SwitchError(f"The switch's webhook does not answer: {type(error).__name__}.") from None
        if not 200 <= answer.status_code < 300:
            raise SwitchError(f"The switch's webhook answers {answer.status_code}.")
