"""All settings: read from the environment once at start, validated, printed without secrets.

Each field is the environment variable of the same name in capitals. The modules here group the fields by subject, with
each field's meaning, limits and default. `.env.example` lists them all in one place; `python -m state.settings >
.env.example` writes it, and a test keeps the two equal.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import msgspec

from state.settings import checks
from state.settings.decoding import Engine, Limits
from state.settings.keeping import Keeping, Masking
from state.settings.people import Access, OpenId
from state.settings.serving import Serving, Store, Watching
from state.settings.telephony import Streams, Switch
from state.settings.telling import Reporting, Summaries, Telling
from state.settings.values import SettingsError as SettingsError
from state.settings.values import in_words

EXIT_CONFIG = 78
"""Exit status of a process that cannot work as it is set up, EX_CONFIG of sysexits.h. Starting it again does not help
until somebody changes something."""


@dataclass(frozen=True, kw_only=True)
class Settings(
    Store,
    Serving,
    Watching,
    Streams,
    Switch,
    Engine,
    Limits,
    Masking,
    Keeping,
    Access,
    OpenId,
    Telling,
    Reporting,
    Summaries,
):
    """The fields of all groups. Every duration and size names its unit."""


SECRETS = (
    "ari_password",
    "switch_webhook_secret",
    "api_keys",
    "secret_key",
    "oidc_client_secret",
    "twilio_auth_token",
    "summary_llm_key",
)
"""Settings that nothing shows."""

_USER = re.compile(r"(?<=://)[^/]*@")
"""The name and password in an address."""


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from `environ`. Raises SettingsError naming the first variable that is wrong."""
    names = [field.name for field in fields(Settings)]
    given = {name: environ[name.upper()] for name in names if environ.get(name.upper())}
    address_name = "REDIS_TLS_URL" if environ.get("REDIS_TLS_URL") else "REDIS_URL"
    if environ.get(address_name):
        given["redis_url"] = environ[address_name]
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        name = where.rstrip("`")
        raise SettingsError(f"{name.upper() or 'settings'}: {in_words(what, _meanings().get(name, ''))}") from None
    checks.check_store(settings, address_name)
    checks.check_ports(settings, settings)
    checks.check_access(settings, settings)
    checks.check_keeping(settings)
    checks.check_switch(settings)
    checks.check_telling(settings, settings)
    checks.check_reporting(settings, settings)
    checks.check_openid(settings)
    return settings


def describe(settings: Settings) -> dict[str, Any]:
    """The settings for the log, without secrets and without passwords in addresses."""
    shown = asdict(settings)
    shown |= {name: "***" for name in SECRETS if shown[name]}
    for name in ("redis_url", "jobs_redis_url"):
        shown[name] = shown[name].partition("?")[0]  # redis-py takes a password there, too
    return {name: _USER.sub("***@", value) if isinstance(value, str) else value for name, value in shown.items()}


def _meanings() -> dict[str, str]:
    """What each setting says of itself."""
    described = msgspec.inspect.type_info(Settings).fields  # type: ignore[attr-defined]
    return {field.name: (field.type.extra_json_schema or {}).get("description", "") for field in described}


def example() -> str:
    """The text of .env.example: a heading for each group, each setting with its meaning and default."""
    lines = ["# Every setting with its default. Written by: python -m state.settings"]
    meanings = _meanings()
    for group in Settings.__bases__:
        lines.append(f"\n\n# ---- {(group.__doc__ or '').rstrip('.')} ----")
        for field in msgspec.inspect.type_info(group).fields:  # type: ignore[attr-defined]
            shown = int(field.default) if isinstance(field.default, bool) else field.default
            lines.append(f"\n# {meanings[field.name]}\n{field.encode_name.upper()}={shown}")
    return "\n".join(lines) + "\n"
