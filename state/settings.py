"""All settings: read from the environment once at start, validated, printed without secrets.

Each field is the environment variable of the same name in capitals. `.env.example` is generated from this
file by `python -m state.settings > .env.example`; a test keeps them equal.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from state.credentials import CredentialError, parse_given_keys
from state.reporting import addresses, mail_server
from state.setting_values import SettingsError as SettingsError
from state.setting_values import in_words, is_address, is_loopback, networks, sound_days, words_days

EXIT_CONFIG = 78
"""Exit status of a process that cannot work as it is set up, EX_CONFIG of sysexits.h. Starting it again does not help
until somebody changes something."""


def _about(text: str, **limits: Any) -> Any:
    return Meta(description=text, **limits)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """See the descriptions. Every duration and size names its unit."""

    redis_url: Annotated[str, _about("Address of the server, redis:// or rediss:// (REDIS_TLS_URL wins if set)")] = (
        "redis://127.0.0.1:6379/0"
    )
    redis_tls_verify: Annotated[
        bool, _about("Whether to check the server's certificate. 0 accepts a self-signed one, as Heroku's Redis has")
    ] = True
    jobs_redis_url: Annotated[
        str,
        _about("Plain server (no cluster) for accounts, sessions, rules and jobs. Empty: REDIS_URL"),
    ] = ""
    shards: Annotated[
        int,
        _about(
            "Number of shards into which a new store divides its calls, for good. 0: one on a plain server, four a"
            " master of a cluster. A store that has begun keeps its own number",
            ge=0,
            le=1024,
        ),
    ] = 0
    port: Annotated[int, _about("HTTP port of the web process", ge=1, le=65535)] = 8000
    web_address: Annotated[
        str,
        _about(
            "Address that the web process listens on. Empty: every address of the machine (scripts/run: 127.0.0.1)",
            pattern=r"^[A-Za-z0-9.:_-]*$",
        ),
    ] = ""
    web_threads: Annotated[
        int,
        _about("Threads of a web process: one for each open page or stream, the rest for uploads", ge=4, le=2000),
    ] = 400
    stream_chunk_ms: Annotated[
        int, _about("Milliseconds of audio in a chunk that joins small frames from sockets", ge=100, le=5000)
    ] = 500
    stream_grace_seconds: Annotated[
        float,
        _about("Seconds a call may go without a socket before it ends", ge=1, le=600),
    ] = 5.0
    twilio_auth_token: Annotated[
        str,
        _about("Twilio's secret. If set, /v1/streams/twilio only takes requests signed with it (X-Twilio-Signature)"),
    ] = ""
    audiosocket_port: Annotated[
        int, _about("TCP port of the audiosocket process for Asterisk. 0: none", ge=0, le=65535)
    ] = 0
    audiosocket_address: Annotated[
        str, _about("Address of that port. AudioSocket knows no password, so keep it in a private network")
    ] = "127.0.0.1"
    vosk_port: Annotated[
        int,
        _about(
            "TCP port of the audiosocket process for vosk-server's clients (2700 there), which show no key. 0: none",
            ge=0,
            le=65535,
        ),
    ] = 0
    vosk_address: Annotated[
        str, _about("Address of that port. Everybody who reaches it may send calls, so keep it to this machine")
    ] = "127.0.0.1"
    ari_url: Annotated[
        str,
        _about(
            "Asterisk's ARI, http://host:8088/ari: lets supervisors whisper, barge, take over, hang up. Empty: none"
        ),
    ] = ""
    ari_user: Annotated[str, _about("User name at ARI")] = "earshot"
    ari_password: Annotated[str, _about("Password of that user")] = ""
    ari_endpoint: Annotated[str, _about("Asterisk endpoint of a supervisor's phone. {} stands for the extension")] = (
        "PJSIP/{}"
    )
    switch_webhook_url: Annotated[
        str, _about("Address of another switch for the same: it gets a signed POST. Empty: none")
    ] = ""
    switch_webhook_secret: Annotated[str, _about("Key that signs that POST (HMAC-SHA256, Standard Webhooks)")] = ""
    vosk_model: Annotated[
        str, _about("Folder or official name of a Vosk model. Empty: an English one if found, else Moonshine")
    ] = ""
    vosk_model_url: Annotated[str, _about("Address to download official Vosk models from")] = (
        "https://alphacephei.com/vosk/models"
    )
    sherpa_model: Annotated[
        str,
        _about(
            "Folder or official name of an offline model that sherpa-onnx runs: transducer, NeMo, Whisper and others"
        ),
    ] = ""
    sherpa_model_url: Annotated[str, _about("Address to download those models from")] = (
        "https://github.com/k2-fsa/sherpa-onnx/releases/download/asr-models"
    )
    earshot_engine: Annotated[
        str,
        _about(
            "Speech engine: auto, vosk, sherpa, moonshine, or stub (no speech, for load tests)",
            pattern="^(auto|vosk|sherpa|moonshine|stub)$",
        ),
    ] = "auto"
    decoder_loops: Annotated[
        int, _about("Decode loops (child processes) of a decoder process. 0: one a core", ge=0, le=256)
    ] = 0
    warm_megabytes: Annotated[
        int,
        _about(
            "Megabytes that one decode loop may use for warm recognisers. Beyond it the oldest go cold",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 1000
    heartbeat_seconds: Annotated[
        float,
        _about("Seconds a decoder may be silent before others take it for dead and hand on its tracks", ge=1, le=60),
    ] = 6.0
    backlog_limit_seconds: Annotated[
        int,
        _about(
            "Seconds of undecoded audio, in all tracks together, beyond which chunks get 429", ge=1, le=1_000_000_000
        ),
    ] = 20_000
    backlog_limit_megabytes: Annotated[
        int,
        _about(
            "The same in megabytes. Wide-band audio takes twelve times as many a second as telephony's",
            ge=1,
            le=1_000_000_000,
        ),
    ] = 400
    live_calls_limit: Annotated[
        int,
        _about(
            "Live calls beyond which new ones get 429: every page shows every live call",
            ge=1,
            le=1_000_000,
        ),
    ] = 10_000
    track_backlog_seconds: Annotated[
        int, _about("Seconds of undecoded audio of one track beyond which its chunks get 429", ge=1, le=1_000_000_000)
    ] = 300
    memory_limit_percent: Annotated[
        int,
        _about("Percent of Redis' maxmemory beyond which chunks get 503 (new calls 10 earlier)", ge=20, le=95),
    ] = 75
    listen_seconds: Annotated[
        int,
        _about(
            "Seconds of each track's newest audio that supervisors may hear. 0: no listening. Redis needs 8 kB a second"
            " and track of G.711: 100 calls of two tracks and 60 s take 96 MB",
            ge=0,
            le=3600,
        ),
    ] = 60
    call_idle_seconds: Annotated[
        int, _about("Seconds without a chunk until a live call ends", ge=1, le=1_000_000_000)
    ] = 300
    retention_hours: Annotated[
        int,
        _about(
            "Hours an ended call stays in Redis. With DATABASE_URL, longer if the database does not have it yet",
            ge=1,
            le=1_000_000,
        ),
    ] = 24
    database_url: Annotated[
        str,
        _about(
            "Database that keeps ended calls: sqlite:////path/to/file or postgresql://user:password@host/name. Empty:"
            " none (scripts/run: a file in its data folder). One file serves one machine",
            pattern=r"^((sqlite:///|postgres(ql)?://).+)?$",
        ),
    ] = ""
    words_days: Annotated[
        str,
        _about(
            "days after which words of archived calls go, by queue, * for all others: billing=30,*=365; empty: never",
            pattern=r"^([^=,]+=[1-9][0-9]{0,4}(,[^=,]+=[1-9][0-9]{0,4})*)?$",
        ),
    ] = ""
    sound_days: Annotated[
        str,
        _about(
            "queues whose calls are recorded, and days for which the sound is kept, * for all others, 0: not recorded."
            " billing=30 or training=0,*=90; empty: nothing is recorded. Needs DATABASE_URL and RECORDINGS",
            pattern=r"^([^=,]+=(0|[1-9][0-9]{0,4})(,[^=,]+=(0|[1-9][0-9]{0,4}))*)?$",
        ),
    ] = ""
    recordings: Annotated[
        str,
        _about(
            "Where recordings are kept: a folder (an absolute path), or s3://bucket/prefix with the usual variables of"
            " AWS_... (scripts/run: recordings in its data folder)",
            pattern=r"^((/|s3://[^/]).*)?$",
        ),
    ] = ""
    audit_years: Annotated[
        int,
        _about(
            "Years that the database keeps an entry of the audit trail, as this stood when it came there", ge=1, le=100
        ),
    ] = 7
    webhook_allow: Annotated[
        str,
        _about(
            "Internal addresses and networks that webhooks may reach, by http:// too, with commas between: 10.1.2.0/24."
            " Empty: none"
        ),
    ] = ""
    kafka_bootstrap: Annotated[
        str,
        _about(
            "host:port of Kafka brokers that get the webhooks' messages, keyed by call (it needs confluent-kafka)."
            " Empty: none"
        ),
    ] = ""
    kafka_topic: Annotated[str, _about("Topic of these messages", pattern=r"^[A-Za-z0-9._-]{1,249}$")] = "earshot"
    auth: Annotated[
        str,
        _about(
            "on, or off for development: everybody may do everything, and only this machine is served",
            pattern="^(on|off)$",
        ),
    ] = "on"
    api_keys: Annotated[
        str,
        _about("API keys besides those of scripts/keys: name:scopes:key, ... Scopes are ingest, read or ingest+read"),
    ] = ""
    secret_key: Annotated[
        str,
        _about(
            "Key that signs cookies, at least 32 characters. Empty: Earshot makes one and keeps it in Redis",
            pattern="^(.{32,})?$",
        ),
    ] = ""
    session_hours: Annotated[int, _about("Hours until a sign-in ends: a shift", ge=1, le=720)] = 12
    key_requests_per_second: Annotated[
        int,
        _about(
            "Requests a second of one API key beyond which it gets 429 (a call of two parties makes 2)",
            ge=1,
            le=1_000_000_000,
        ),
    ] = 1000
    trusted_proxies: Annotated[
        int,
        _about("Number of proxies in front whose X-Forwarded-For and -Proto Earshot believes (Heroku: 1)", ge=0, le=10),
    ] = 0
    public_url: Annotated[
        str,
        _about(
            "https://host where people and telephony reach Earshot, if a proxy changes the Host header",
            pattern="^(https?://.+)?$",
        ),
    ] = ""
    oidc_issuer: Annotated[
        str,
        _about(
            "Address of the OpenID Connect provider for supervisors' sign-in. Empty: none", pattern="^(https?://.+)?$"
        ),
    ] = ""
    oidc_client_id: Annotated[str, _about("Earshot's client id at the provider")] = ""
    oidc_client_secret: Annotated[str, _about("Earshot's client secret at the provider")] = ""
    oidc_scopes: Annotated[str, _about("Scopes to ask the provider for", pattern="(^| )openid( |$)")] = (
        "openid profile email"
    )
    oidc_claim: Annotated[str, _about("Claim that says who may sign in. Dots lead into objects")] = "groups"
    oidc_session_hours: Annotated[
        int,
        _about(
            "Hours until Earshot asks the provider again (at most SESSION_HOURS)",
            ge=1,
            le=24,
        ),
    ] = 8
    oidc_supervisors: Annotated[str, _about("Values of that claim that make a supervisor, separated by commas")] = ""
    oidc_admins: Annotated[str, _about("Values of that claim that make an admin, separated by commas")] = ""
    voice: Annotated[
        str,
        _about(
            "Whose voices Earshot measures, raised or calm: customers, everyone or off. See docs/PRIVACY.md",
            pattern="^(customers|everyone|off)$",
        ),
    ] = "customers"
    redact: Annotated[
        bool, _about("Whether to mask card numbers, addresses and the like. 0 shows and stores them as spoken")
    ] = True
    metrics_port: Annotated[
        int,
        _about(
            "Port on which a worker process shows its own /metrics (web shows them on PORT). 0: none", ge=0, le=65535
        ),
    ] = 0
    metrics_address: Annotated[
        str, _about("Address of that port. It asks for no key, so keep it in a private network")
    ] = "127.0.0.1"
    report_mail_to: Annotated[
        str, _about("Who gets the weekly report on Mondays, name@host, ... Needs DATABASE_URL. Empty: nobody")
    ] = ""
    report_mail_from: Annotated[str, _about("Address that it comes from")] = ""
    smtp_url: Annotated[
        str, _about("Mail server for it: smtp://user:password@host:587 (STARTTLS if offered) or smtps://host:465")
    ] = ""
    report_zone: Annotated[str, _about("Time zone of its days and of that morning, such as Europe/Berlin")] = "UTC"
    summary_llm_url: Annotated[
        str,
        _about(
            "Address of an OpenAI-compatible API (http://host:port/v1) that also writes summaries of ended calls, from"
            " masked words. Empty: none, no word leaves Earshot",
            pattern="^(https?://.+)?$",
        ),
    ] = ""
    summary_llm_key: Annotated[str, _about("Key of that API, if it wants one")] = ""
    summary_llm_model: Annotated[str, _about("Name of the model there")] = ""
    otel_exporter_otlp_endpoint: Annotated[
        str,
        _about(
            "Address of an OpenTelemetry collector (http://host:4318) that gets traces. The other OTEL_ variables"
            " apply, such as OTEL_TRACES_SAMPLER. Empty: no traces",
            pattern="^(https?://.+)?$",
        ),
    ] = ""
    log_level: Annotated[
        str, _about("Least level that is logged: debug, info, warning or error", pattern="^(debug|info|warning|error)$")
    ] = "info"


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
    given = {name: environ[name.upper()] for name in Settings.__struct_fields__ if environ.get(name.upper())}
    if environ.get("REDIS_TLS_URL"):
        given["redis_url"] = environ["REDIS_TLS_URL"]
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        raise SettingsError(f"{where.rstrip('`').upper() or 'settings'}: {in_words(what)}") from None
    if not is_address(settings.redis_url):
        name = "REDIS_TLS_URL" if environ.get("REDIS_TLS_URL") else "REDIS_URL"
        raise SettingsError(f"{name}: Expected a redis:// or rediss:// address")
    if settings.jobs_redis_url and not is_address(settings.jobs_redis_url):
        raise SettingsError("JOBS_REDIS_URL: Expected a redis:// or rediss:// address")
    try:
        parse_given_keys(settings.api_keys)
    except CredentialError as error:
        raise SettingsError(f"API_KEYS: {error}") from None
    words_days(settings.words_days)
    sound_days(settings.sound_days)
    if settings.sound_days and not (settings.database_url and settings.recordings):
        missing = "RECORDINGS" if settings.database_url else "DATABASE_URL"
        raise SettingsError(f"{missing}: SOUND_DAYS is set, so this is needed too")
    networks(settings.webhook_allow)
    if settings.auth == "off" and not is_loopback(settings.web_address):
        raise SettingsError("WEB_ADDRESS: AUTH=off serves this machine only; 127.0.0.1 or ::1 is expected")
    for name in ("ari_url", "switch_webhook_url"):
        address = getattr(settings, name)
        if address and (urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname):
            raise SettingsError(f"{name.upper()}: Expected an http:// or https:// address")
    if settings.ari_url and settings.switch_webhook_url:
        raise SettingsError("SWITCH_WEBHOOK_URL: ARI_URL is set, and there can only be one switch")
    if settings.switch_webhook_url and len(settings.switch_webhook_secret) < 16:
        raise SettingsError("SWITCH_WEBHOOK_SECRET: 16 characters or more sign SWITCH_WEBHOOK_URL")
    _check_reports(settings)
    if settings.summary_llm_url and not settings.summary_llm_model:
        raise SettingsError("SUMMARY_LLM_MODEL: SUMMARY_LLM_URL is set, so this is needed too")
    if settings.oidc_issuer:
        for name in ("oidc_client_id", "oidc_client_secret"):
            if not getattr(settings, name):
                raise SettingsError(f"{name.upper()}: OIDC_ISSUER is set, so this is needed too")
        if not settings.oidc_supervisors and not settings.oidc_admins:
            raise SettingsError("OIDC_SUPERVISORS: without it or OIDC_ADMINS nobody could sign in")
    return settings


def _check_reports(settings: Settings) -> None:
    try:
        ZoneInfo(settings.report_zone)
    except (ValueError, OSError, LookupError):
        raise SettingsError("REPORT_ZONE: must be the name of a time zone, such as Europe/Berlin") from None
    if not settings.report_mail_to:
        return
    for name, given in (("to", addresses(settings.report_mail_to)), ("from", [settings.report_mail_from])):
        if not all(re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", one) for one in given):
            raise SettingsError(f"REPORT_MAIL_{name.upper()}: must be name@host")
    if not settings.database_url:
        raise SettingsError("DATABASE_URL: REPORT_MAIL_TO is set, and reports need a database")
    try:
        mail_server(settings.smtp_url)
    except ValueError:
        raise SettingsError(
            "SMTP_URL: REPORT_MAIL_TO is set; smtp://host:port or smtps://host:port is expected"
        ) from None


def describe(settings: Settings) -> dict[str, Any]:
    """The settings for the log, without secrets and without passwords in addresses."""
    shown = msgspec.to_builtins(settings)
    shown |= {name: "***" for name in SECRETS if shown[name]}
    for name in ("redis_url", "jobs_redis_url"):
        shown[name] = shown[name].partition("?")[0]  # redis-py takes a password there, too
    return {name: _USER.sub("***@", value) if isinstance(value, str) else value for name, value in shown.items()}


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
