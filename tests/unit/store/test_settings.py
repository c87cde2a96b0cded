"""Settings are checked at start, shown without secrets, and documented where a reader looks."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from state import settings

ROOT = Path(__file__).resolve().parents[3]


def test_the_example_file_lists_every_setting_with_its_default() -> None:
    assert (ROOT / ".env.example").read_text() == settings.example()


def test_an_empty_environment_gives_the_defaults() -> None:
    assert settings.load({}) == settings.Settings()


def test_what_the_example_says_is_what_an_empty_environment_gives() -> None:
    lines = (line.partition("=") for line in settings.example().splitlines() if line and not line.startswith("#"))
    assert settings.load({name: value for name, _, value in lines}) == settings.Settings()


REPORTED = {"REPORT_MAIL_TO": "a@b", "REPORT_MAIL_FROM": "c@d"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "99999"),
        ("PORT", "eighty"),
        ("EARSHOT_ENGINE", "whisper"),
        ("HEARTBEAT_SECONDS", "0"),
        ("REDIS_URL", "http://example.org"),
        ("REDIS_URL", "redis://host:port/0"),
        ("REDIS_URL", "redis://host:70000/0"),
        ("REDIS_URL", "redis://[::1/0"),
        ("REDIS_URL", "unix:///run/redis.sock"),
        ("REDIS_URL", "redis://host/first"),
        ("REDIS_URL", "redis://host/0?socket_timeout=soon"),
        ("BACKLOG_LIMIT_SECONDS", "9" * 30),
        ("REDIS_TLS_URL", "http://example.org"),
        ("MEMORY_LIMIT_PERCENT", "200"),
        ("RETENTION_HOURS", "10000000000000"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(settings.SettingsError, match=f"^{name}: ") as caught:
        settings.load({name: value})
    assert "\n" not in str(caught.value)


def test_a_tls_address_wins_as_heroku_sets_it() -> None:
    found = settings.load({"REDIS_URL": "redis://plain", "REDIS_TLS_URL": "rediss://:secret@host:6380/0"})
    assert found.redis_url == "rediss://:secret@host:6380/0"


def test_secrets_are_not_shown() -> None:
    environ = {
        "REDIS_URL": "rediss://user:hunter2@host:6380/1",
        "API_KEYS": "pbx:ingest:hunter2-hunter2-hunter2",
        "SECRET_KEY": "hunter2" * 5,
        "VOSK_MODEL_URL": "https://user:hunter2@mirror/models",
        "OIDC_CLIENT_SECRET": "hunter2",
    }
    shown = settings.describe(settings.load(environ))
    assert shown["redis_url"] == "rediss://***@host:6380/1"
    assert "hunter2" not in str(shown)
    for url, without in (
        ("redis://host/0?password=hunter2", "redis://host/0"),
        ("redis://:hunter2@[::1]:6379/0", "redis://***@[::1]:6379/0"),
    ):
        assert settings.describe(settings.load({"REDIS_URL": url}))["redis_url"] == without


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"API_KEYS": "pbx:ingest:short"}, "API_KEYS"),
        ({"API_KEYS": "pbx:everything:geheim-geheim-geheim"}, "API_KEYS"),
        ({"API_KEYS": "pbx:geheim-geheim-geheim"}, "API_KEYS"),
        ({"API_KEYS": "pbx:ingest:geheim=geheim=geheim"}, "API_KEYS"),
        ({"API_KEYS": "pbx:ingest:geheim geheim geheim"}, "API_KEYS"),
        ({"API_KEYS": "a:read:geheim-geheim-geheim,a:read:andere-geheim-geheim"}, "API_KEYS"),
        ({"SECRET_KEY": "geheim"}, "SECRET_KEY"),
        ({"AUTH": "no"}, "AUTH"),
        ({"OIDC_ISSUER": "https://id.example"}, "OIDC_CLIENT_ID"),
        ({"OIDC_ISSUER": "https://id.example", "OIDC_CLIENT_ID": "a", "OIDC_CLIENT_SECRET": "geheim"}, "OIDC_SUPERV"),
    ],
)
def test_a_wrong_secret_is_named_and_not_quoted(environ: dict[str, str], named: str) -> None:
    with pytest.raises(settings.SettingsError, match=f"^{named}") as caught:
        settings.load(environ)
    assert "geheim" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"AUTH": "maybe"}, "AUTH: must be on or off"),
        ({"REPORT_ZONE": "../etc"}, "REPORT_ZONE: must be the name of a time zone, such as Europe/Berlin"),
        ({"REPORT_MAIL_TO": "a@b, c"}, "REPORT_MAIL_TO: must be name@host"),
        ({"REPORT_MAIL_TO": "a@b"}, "REPORT_MAIL_FROM: must be name@host"),
        (REPORTED, "DATABASE_URL: REPORT_MAIL_TO is set, and reports need a database"),
        (
            REPORTED | {"DATABASE_URL": "sqlite:///a", "SMTP_URL": "http://a"},
            "SMTP_URL: REPORT_MAIL_TO is set; smtp://host:port or smtps://host:port is expected",
        ),
        ({"SUMMARY_LLM_URL": "http://a"}, "SUMMARY_LLM_MODEL: SUMMARY_LLM_URL is set, so this is needed too"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL: must be debug, info, warning or error"),
        ({"KAFKA_TOPIC": "a topic"}, "KAFKA_TOPIC: has the wrong form. It means: Topic of these messages"),
        ({"REDACT": "perhaps"}, "REDACT: must be 1 or 0"),
        ({"PORT": "eighty"}, "PORT: must be a whole number"),
        ({"STREAMS_PORT": "8000"}, "STREAMS_PORT: it is PORT, too; the web process listens there"),
    ],
)
def test_a_wrong_choice_is_told_in_words(environ: dict[str, str], said: str) -> None:
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(environ)
    assert str(caught.value) == said


def test_every_number_has_bounds() -> None:
    """A number too large for the server would fail at the first chunk, not at the start."""
    for field in msgspec.inspect.type_info(settings.Settings).fields:  # type: ignore[attr-defined]
        if isinstance(field.type, msgspec.inspect.IntType | msgspec.inspect.FloatType):
            assert field.type.ge is not None and field.type.le is not None, field.name
