"""All settings: read from the environment once at start, validated, printed without secrets.

Each field is the environment variable of the same name in capitals. `.env.example` is generated from this
file by `python -m state.settings > .env.example`; a test keeps them equal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Meta


class SettingsError(ValueError):
    """A setting is missing or out of range. The message is one line that names the variable."""


def _about(text: str, **limits: Any) -> Any:
    return Meta(description=text, **limits)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """See the descriptions; every duration and size names its unit."""

    redis_url: Annotated[str, _about("redis:// or rediss:// (REDIS_TLS_URL wins if set)")] = "redis://127.0.0.1:6379/0"
    redis_tls_verify: Annotated[
        bool, _about("0 accepts a self-signed certificate, as Heroku's Redis has; say so explicitly")
    ] = True
    port: Annotated[int, _about("HTTP port of the web process", ge=1, le=65535)] = 8000
    web_threads: Annotated[
        int,
        _about("threads of a web process: one for each open page or stream, the rest for uploads", ge=4, le=2000),
    ] = 400
    stream_chunk_ms: Annotated[
        int, _about("small frames from sockets are joined to chunks of so many milliseconds", ge=100, le=5000)
    ] = 500
    stream_grace_seconds: Annotated[
        float,
        _about("so long a call may be without its socket before it is ended", ge=1, le=600),
    ] = 5.0
    public_url: Annotated[
        str, _about("https:// address telephony reaches the web process at; empty: as the request says it")
    ] = ""
    twilio_auth_token: Annotated[
        str, _about("if set, /v1/streams/twilio only takes requests signed with it (X-Twilio-Signature)")
    ] = ""
    audiosocket_port: Annotated[
        int, _about("TCP port of the audiosocket process (Asterisk); 0: it does nothing", ge=0, le=65535)
    ] = 0
    audiosocket_address: Annotated[
        str, _about("where it listens; AudioSocket knows no password, so keep it in a private network")
    ] = "127.0.0.1"
    vosk_model: Annotated[
        str, _about("a Vosk model's folder or official name; empty: an English one in reach, else Moonshine")
    ] = ""
    vosk_model_url: Annotated[str, _about("where official Vosk models are downloaded from")] = (
        "https://alphacephei.com/vosk/models"
    )
    earshot_engine: Annotated[
        str,
        _about(
            "auto, vosk, moonshine, or stub (no speech: for load tests)",
            pattern="^(auto|vosk|moonshine|stub)$",
        ),
    ] = "auto"
    decoder_loops: Annotated[
        int, _about("decode loops (child processes) of a decoder process; 0: one a core", ge=0, le=256)
    ] = 0
    warm_megabytes: Annotated[
        int, _about("memory for warm recognisers of one decode loop; beyond it the oldest go cold", ge=0)
    ] = 1000
    heartbeat_seconds: Annotated[
        float, _about("a decoder silent for so long is taken for dead and its tracks handed on", ge=1, le=60)
    ] = 6.0
    backlog_limit_seconds: Annotated[
        int, _about("undecoded audio, summed over all tracks, beyond which chunks are answered 429", ge=1)
    ] = 20_000
    track_backlog_seconds: Annotated[
        int, _about("undecoded audio of one track beyond which its chunks are answered 429", ge=1)
    ] = 300
    memory_limit_percent: Annotated[
        int,
        _about("of Redis' maxmemory, beyond which chunks are answered 503 (new calls 10 earlier)", ge=20, le=95),
    ] = 75
    call_idle_seconds: Annotated[int, _about("a live call without a chunk for so long is ended", ge=1)] = 300
    retention_hours: Annotated[int, _about("how long an ended call stays readable", ge=1)] = 24
    log_level: Annotated[str, _about("debug, info, warning or error", pattern="^(debug|info|warning|error)$")] = "info"


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from `environ`. Raises SettingsError naming the first variable that is wrong."""
    given = {name: environ[name.upper()] for name in Settings.__struct_fields__ if environ.get(name.upper())}
    if environ.get("REDIS_TLS_URL"):
        given["redis_url"] = environ["REDIS_TLS_URL"]
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        raise SettingsError(f"{where.rstrip('`').upper() or 'settings'}: {what}") from None
    if urlsplit(settings.redis_url).scheme not in ("redis", "rediss", "unix"):
        raise SettingsError("REDIS_URL: Expected a redis://, rediss:// or unix:// address")
    return settings


def describe(settings: Settings) -> dict[str, Any]:
    """The settings as they may be logged: passwords in addresses are left out."""
    shown = msgspec.to_builtins(settings)
    if settings.twilio_auth_token:
        shown["twilio_auth_token"] = "***"
    parts = urlsplit(settings.redis_url)
    if parts.password:
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
        shown["redis_url"] = urlunsplit((parts.scheme, f"***@{host}{port}", parts.path, "", ""))
    return dict(shown)


def example() -> str:
    """The text of .env.example."""
    lines = ["# Every setting with its default. Written by: python -m state.settings"]
    for field in msgspec.inspect.type_info(Settings).fields:  # type: ignore[attr-defined]
        kind: Any = field.type
        default = "" if field.default is msgspec.NODEFAULT else field.default
        shown = int(default) if isinstance(default, bool) else default
        description = (kind.extra_json_schema or {}).get("description", "")
        lines.append(f"\n# {description}\n{field.encode_name.upper()}={shown}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(example())
