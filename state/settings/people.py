"""Who may come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from state.settings.values import about


@dataclass(frozen=True, kw_only=True)
class Access:
    """Keys and sessions."""

    auth: Annotated[
        str,
        about(
            "on, or off for development: everybody may do everything, and only this machine is served",
            pattern="^(on|off)$",
        ),
    ] = "on"
    api_keys: Annotated[
        str,
        about("API keys besides those of scripts/keys: name:scopes:key, ... Scopes are ingest, read or ingest+read"),
    ] = ""
    secret_key: Annotated[
        str,
        about(
            "Key that signs cookies, at least 32 characters. Empty: Earshot makes one and keeps it in Redis",
            pattern="^(.{32,})?$",
        ),
    ] = ""
    session_hours: Annotated[int, about("Hours until a sign-in ends: a shift", ge=1, le=720)] = 12
    key_requests_per_second: Annotated[
        int,
        about(
            "Requests a second of one API key beyond which it gets 429 (a call of two parties makes 2)",
            ge=1,
            le=1_000_000_000,
        ),
    ] = 1000


@dataclass(frozen=True, kw_only=True)
class OpenId:
    """Sign-in through an OpenID Connect provider."""

    oidc_issuer: Annotated[
        str,
        about(
            "Address of the OpenID Connect provider for supervisors' sign-in. Empty: none", pattern="^(https?://.+)?$"
        ),
    ] = ""
    oidc_client_id: Annotated[str, about("Earshot's client id at the provider")] = ""
    oidc_client_secret: Annotated[str, about("Earshot's client secret at the provider")] = ""
    oidc_scopes: Annotated[str, about("Scopes to ask the provider for", pattern="(^| )openid( |$)")] = (
        "openid profile email"
    )
    oidc_claim: Annotated[str, about("Claim that says who may sign in. Dots lead into objects")] = "groups"
    oidc_supervisors: Annotated[str, about("Values of that claim that make a supervisor, separated by commas")] = ""
    oidc_admins: Annotated[str, about("Values of that claim that make an admin, separated by commas")] = ""
    oidc_session_hours: Annotated[
        int,
        about(
            "Hours until Earshot asks the provider again (at most SESSION_HOURS)",
            ge=1,
            le=24,
        ),
    ] = 8
