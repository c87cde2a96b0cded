"""The signed cookie, and who is signed in by it (Flask's sessions, Flask-Login).

The cookie holds a random token. Redis holds the session behind it (state/people/sessions.py), so signing out, a new
password or removing an account ends it on every process. Whenever a cookie comes, the process asks Redis for the secret
that signs it. So processes never disagree about it, and one that starts while Redis is away still starts.

Only the store's clock counts. The cookie carries no time, and its session ends when Redis lets it expire. The browser
learns how long to keep the cookie, not until when. So web hosts may have any time they like.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, cast

import redis
from flask import Flask, Request, Response, g, request
from flask.sessions import NullSession, SecureCookieSessionInterface, SessionMixin, session_json_serializer
from flask_login import LoginManager, UserMixin, current_user
from itsdangerous import BadSignature, URLSafeSerializer

from state.people.accounts import Role
from state.people.sessions import Session
from state.server.clock import now_ms
from webapp.store import store

COOKIE = "earshot"

WITHOUT_SESSION = ("/static/", "/healthz")
"""Paths with the same answer for everybody. They need no question to Redis."""


@dataclass(frozen=True)
class SignedIn(UserMixin):  # type: ignore[misc]
    """Flask-Login's user: a session that exists."""

    token: str
    session: Session

    def get_id(self) -> str:
        return self.token

    @property
    def role(self) -> Role:
        return self.session.role


class Cookies(SecureCookieSessionInterface):
    """Flask's signed cookies, without the signer's clock. They look the secret up when they need it."""

    def open_session(self, app: Flask, request: Request) -> Any:
        value = request.cookies.get(COOKIE) if "HTTP_COOKIE" in request.environ else None
        if not value or request.path.startswith(WITHOUT_SESSION):
            return self.session_class()
        try:
            return self.session_class(_signer().loads(value))
        except BadSignature:
            return self.session_class()
        except redis.RedisError:
            return self.make_null_session(app)  # `unreadable` tells it from an empty one

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session.accessed:
            response.vary.add("Cookie")
        if not session.modified:
            return  # a sign-in lasts its hours, used or not
        response.vary.add("Cookie")
        flags: dict[str, Any] = {"httponly": True, "samesite": "Lax", "secure": request.is_secure}
        if session:
            response.set_cookie(COOKIE, _signer().dumps(dict(session)), max_age=_seconds_left(), **flags)
        else:
            response.delete_cookie(COOKIE, **flags)


def _signer() -> URLSafeSerializer:
    if "cookie_secret" not in g:
        g.cookie_secret = store().access.secret()
    how = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeSerializer(
        g.cookie_secret, salt="cookie-session", serializer=session_json_serializer, signer_kwargs=how
    )


def _seconds_left() -> int | None:
    """How long the browser must keep the cookie. None before a sign-in: until the browser closes."""
    if not current_user.is_authenticated:
        return None
    return max(0, cast(SignedIn, current_user).session.until_ms - now_ms(store().shards.plain)) // 1000


def unreadable(session: object) -> bool:
    """Whether a cookie came that nobody could check, because Redis is away."""
    return isinstance(session, NullSession)


def install(app: Flask) -> None:
    """Set up cookies and Flask-Login for `app`."""
    app.session_interface = Cookies()
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        WTF_CSRF_TIME_LIMIT=None,  # a form lasts as long as its session: sign-in pages stay open overnight
    )
    manager = LoginManager(app)
    manager.session_protection = None  # it would tie a session to an address, but supervisors change networks

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(token: str) -> SignedIn | None:
        found = store().access.sessions.find(token)
        return SignedIn(token, found) if found else None
