"""The signed cookie, and who is signed in by it (Flask's sessions, Flask-Login).

The cookie holds a random token; what it stands for is in Redis (state/access.py), so that signing out, a new
password or removing an account ends it on every process. The secret that signs it is asked of Redis whenever a
cookie comes: processes never disagree about it, and one that starts while Redis is away starts all the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import redis
from flask import Flask, Request, g, request
from flask.sessions import NullSession, SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin
from itsdangerous import URLSafeTimedSerializer

from state.access import Role, Session
from webapp.store import store

COOKIE = "earshot"

WITHOUT_SESSION = ("/static/", "/healthz")
"""Paths whose answers are the same for everybody: Redis is not asked."""


@dataclass(frozen=True)
class SignedIn(UserMixin):  # type: ignore[misc]
    """Flask-Login's user: a session that was found."""

    token: str
    session: Session

    def get_id(self) -> str:
        return self.token

    @property
    def role(self) -> Role:
        return self.session.role


class Cookies(SecureCookieSessionInterface):
    """Flask's signed cookies with a secret that is found when it is needed, and Secure where the request is."""

    digest_method = staticmethod(hashlib.sha256)

    def open_session(self, app: Flask, request: Request) -> Any:
        if COOKIE not in request.cookies or request.path.startswith(WITHOUT_SESSION):
            return self.session_class()
        try:
            return super().open_session(app, request)
        except redis.RedisError:
            return self.make_null_session(app)  # told from an empty one in `unreadable`

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer:
        if "cookie_secret" not in g:
            g.cookie_secret = store().access.secret()
        return URLSafeTimedSerializer(
            g.cookie_secret,
            salt=self.salt,
            serializer=self.serializer,
            signer_kwargs={"key_derivation": self.key_derivation, "digest_method": self.digest_method},
        )

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def unreadable(session: object) -> bool:
    """Whether a cookie came that could not be looked at, because Redis is away."""
    return isinstance(session, NullSession)


def install(app: Flask, session_hours: int) -> None:
    """Set up cookies and Flask-Login for `app`."""
    app.session_interface = Cookies()
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,  # a sign-in is good for so many hours, used or not
        PERMANENT_SESSION_LIFETIME=timedelta(hours=session_hours),
        WTF_CSRF_TIME_LIMIT=None,  # a form is good as long as its session: sign-in pages stay open overnight
    )
    manager = LoginManager(app)
    manager.session_protection = None  # it ties a session to an address; supervisors walk between networks

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(token: str) -> SignedIn | None:
        found = store().access.sessions.find(token)
        return SignedIn(token, found) if found else None
