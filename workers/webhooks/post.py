"""One try to post a message to a webhook. It reaches no internal address but those of WEBHOOK_ALLOW.

It resolves the name once and connects to the address that it has checked. It follows no redirect: that counts as a
refusal.
"""

from __future__ import annotations

import requests
from AntiSSRF import AntiSSRFError, AntiSSRFPolicy, PolicyConfigOptions

from state.webhooks import signing
from state.webhooks.deliveries import Claimed, Outcome
from workers.webhooks.slack import rendered

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0
"""At most so many seconds for a receiver to connect and to answer. Standard Webhooks: 15 to 30 s in all."""

GONE = 410
"""Standard Webhooks: the receiver wants no more."""


class Poster:
    """Posts to one endpoint, over one connection as long as that lasts. Not for several threads."""

    def __init__(self, allowed: list[str], page: str) -> None:
        """allowed: internal addresses and networks that may be reached, by http:// too. page: see slack.rendered."""
        self._page = page
        self._sessions = {"https": _session(_outside(allowed))}
        if allowed:
            self._sessions["http"] = _session(_inside(allowed))

    def deliver(self, claimed: Claimed) -> Outcome:
        """Try once. It never raises for anything that a receiver does."""
        endpoint = claimed.endpoint
        session = self._sessions.get(endpoint.url.partition(":")[0].lower())
        if session is None:
            return Outcome(False, error="http:// is only for addresses of WEBHOOK_ALLOW")
        body = rendered(claimed.body, self._page) if endpoint.form == "slack" else claimed.body.encode()
        headers = {**signing.headers(endpoint.secret, claimed.message_id, body), "User-Agent": "Earshot-Webhooks"}
        try:
            with session.post(
                endpoint.url,
                data=body,
                headers=headers,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
                stream=True,  # nobody reads what it answers
            ) as answer:
                status = answer.status_code
        except AntiSSRFError:
            return Outcome(False, error="the address is internal, and not one of WEBHOOK_ALLOW")
        except (requests.RequestException, OSError, ValueError) as error:  # also names that cannot be resolved
            return Outcome(False, error=_told(error))
        if 200 <= status < 300:
            return Outcome(True, status)
        if status == GONE:
            return Outcome(False, status, "the receiver answered 410: it wants no more", gone=True)
        redirected = ": a redirect, which is not followed" if 300 <= status < 400 else ""
        return Outcome(False, status, f"the receiver answered {status}{redirected}")


def _session(policy: AntiSSRFPolicy) -> requests.Session:
    session: requests.Session = policy.get_antissrf_session()
    session.trust_env = False  # a proxy would resolve the name once more
    return session


def _outside(allowed: list[str]) -> AntiSSRFPolicy:
    policy = AntiSSRFPolicy(PolicyConfigOptions.EXTERNAL_ONLY_LATEST)
    if allowed:
        policy.add_allowed_addresses(allowed)
    return policy


def _inside(allowed: list[str]) -> AntiSSRFPolicy:
    policy = AntiSSRFPolicy(PolicyConfigOptions.INTERNAL_ONLY)
    policy.add_allowed_addresses(allowed)
    policy.allow_plain_text_http = True
    return policy


def _told(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "the receiver did not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "the receiver's certificate is not good"
    return f"the receiver cannot be reached: {type(error).__name__}"
