"""Sign-in through an OpenID Connect provider, by Authlib: code flow with PKCE, state and nonce.

The provider says who a person is. A claim says what they may do here (OIDC_CLAIM, OIDC_SUPERVISORS, OIDC_ADMINS).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, cast

import redis
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.oidc.core import CodeIDToken
from flask import Flask, Response, current_app, request, url_for
from joserfc.errors import JoseError

from state.people.accounts import Role
from state.people.sessions import oidc_name
from state.server.clock import now_ms
from state.settings import Settings
from webapp.http.language import _
from webapp.store import store

log = logging.getLogger("earshot.web")

_NAME = "oidc"
_EXTENSION = "earshot-oidc"

PROVIDER_SECONDS = 5
"""Seconds to wait for the provider. A person waits, too."""

LEEWAY_SECONDS = 60
"""Seconds by which the provider's clock may differ from the store's."""

SHOWN_BY = ("preferred_username", "email", "sub")
"""Claims with a person's name, best first. Only `sub` identifies the person: the others change, and people choose
them."""

MAX_SUBJECT_CHARACTERS = 255
"""OpenID Connect Core 1.0, section 2."""


class ProviderFailed(RuntimeError):
    """The provider does not answer, or its answer is wrong. The message is a sentence for the person."""


class NotWelcome(RuntimeError):
    """The provider knows this person, but no claim gives a role here. The message is a sentence for the person."""

    def __init__(self, who: Person) -> None:
        super().__init__(_("You are known, but not allowed in here. Ask for one of the groups that are."))
        self.who = who


@dataclass(frozen=True)
class Person:
    """A person as the provider knows them. issuer and subject say who it is; `shown` is their present name."""

    issuer: str
    subject: str
    shown: str

    @property
    def name(self) -> str:
        """Their name here, which nobody else has."""
        return oidc_name(self.shown, self.issuer, self.subject)


class _IdToken(CodeIDToken):  # type: ignore[misc]
    """The claims that the provider has signed. The store's clock, not this host's, says whether they are still good."""

    def validate(self, now: float | None = None, leeway: int = 0) -> None:
        super().validate(now_ms(store().shards.plain) // 1000, leeway)


def install(app: Flask, settings: Settings) -> None:
    """Set up the provider if one is configured. The first sign-in fetches its document."""
    if not settings.oidc_issuer:
        return
    oauth = OAuth(app)
    oauth.register(
        _NAME,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        server_metadata_url=settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration",
        client_kwargs={
            "scope": settings.oidc_scopes,
            "code_challenge_method": "S256",
            "default_timeout": PROVIDER_SECONDS,
        },
    )
    app.extensions[_EXTENSION] = oauth


def _provider() -> Any:
    oauth = current_app.extensions.get(_EXTENSION)
    if oauth is None:
        raise ProviderFailed(_("No identity provider is configured here."))
    return oauth.create_client(_NAME)


def begin() -> Response:
    """The way to the provider. Raises ProviderFailed."""
    provider = _provider()
    try:
        return cast(Response, provider.authorize_redirect(_callback()))
    except (OAuthError, requests.RequestException, ValueError, KeyError, RuntimeError) as error:
        raise _failed(error) from None


def end() -> tuple[Person, Role]:
    """The person who came back, and their role here. Raises ProviderFailed, NotWelcome."""
    provider = _provider()
    try:
        token = provider.authorize_access_token(claims_cls=_IdToken, leeway=LEEWAY_SECONDS)
        claims: dict[str, Any] = dict(token.get("userinfo") or {})
    except (OAuthError, JoseError, requests.RequestException, ValueError, KeyError, RuntimeError) as error:
        raise _failed(error) from None
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not (isinstance(issuer, str) and isinstance(subject, str) and 0 < len(subject) <= MAX_SUBJECT_CHARACTERS):
        raise ProviderFailed(_("The identity provider did not say who you are."))
    person = Person(issuer, subject, next(str(claims[claim]) for claim in SHOWN_BY if claims.get(claim)))
    settings = store().settings
    role = role_of(values(claims, settings.oidc_claim), settings.oidc_supervisors, settings.oidc_admins)
    if role is None:
        raise NotWelcome(person)
    return person, role


def values(claims: dict[str, Any], path: str) -> list[str]:
    """The texts of a claim, one or a list. Dots in `path` lead into objects, as in realm_access.roles."""
    found: Any = claims
    for part in [path] if path in claims else path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    listed = found if isinstance(found, list) else [found]
    return [value for value in listed if isinstance(value, str)]


def role_of(given: list[str], supervisors: str, admins: str) -> Role | None:
    """The role that a claim's values give. Both lists are separated by commas."""

    def meets(wanted: str) -> bool:
        return bool({value.strip() for value in wanted.split(",") if value.strip()} & set(given))

    return "admin" if meets(admins) else "supervisor" if meets(supervisors) else None


def _callback() -> str:
    public = store().settings.public_url.rstrip("/")
    path = url_for("sign_in.oidc_end", _external=not public)
    return public + path


def _failed(error: Exception) -> ProviderFailed:
    if isinstance(error, redis.RedisError):
        raise error
    # Not the error's text: it may quote the provider's answer, and that may hold tokens.
    log.warning("oidc: sign-in failed", extra={"error": type(error).__name__, "path": request.path})
    return ProviderFailed(_("The identity provider did not answer as it should. Try again."))
