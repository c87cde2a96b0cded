"""Checks of settings beyond their types. Each raises SettingsError for the first setting that is wrong."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from state.credentials import parse_given_keys
from state.refusal import Refusal
from state.reporting import addresses, mail_server
from state.settings.keeping import Keeping
from state.settings.people import Access, OpenId
from state.settings.serving import Serving, Store
from state.settings.telephony import Streams, Switch
from state.settings.telling import Reporting, Summaries, Telling
from state.settings.values import SettingsError, is_address, is_loopback, networks, sound_days, words_days


def check_store(store: Store, address_name: str) -> None:
    """address_name: the variable that gave `redis_url`."""
    if not is_address(store.redis_url):
        raise SettingsError(f"{address_name}: Expected a redis:// or rediss:// address")
    if store.jobs_redis_url and not is_address(store.jobs_redis_url):
        raise SettingsError("JOBS_REDIS_URL: Expected a redis:// or rediss:// address")


def check_keeping(keeping: Keeping) -> None:
    words_days(keeping.words_days)
    sound_days(keeping.sound_days)
    if keeping.sound_days and not (keeping.database_url and keeping.recordings):
        missing = "RECORDINGS" if keeping.database_url else "DATABASE_URL"
        raise SettingsError(f"{missing}: SOUND_DAYS is set, so this is needed too")


def check_ports(streams: Streams, serving: Serving) -> None:
    if streams.streams_port == serving.port:
        raise SettingsError("STREAMS_PORT: it is PORT, too; the web process listens there")


def check_access(access: Access, serving: Serving) -> None:
    try:
        parse_given_keys(access.api_keys)
    except Refusal as error:
        raise SettingsError(f"API_KEYS: {error}") from None
    if access.auth == "off" and not is_loopback(serving.web_address):
        raise SettingsError("WEB_ADDRESS: AUTH=off serves this machine only; 127.0.0.1 or ::1 is expected")


def check_openid(openid: OpenId) -> None:
    if not openid.oidc_issuer:
        return
    for name in ("oidc_client_id", "oidc_client_secret"):
        if not getattr(openid, name):
            raise SettingsError(f"{name.upper()}: OIDC_ISSUER is set, so this is needed too")
    if not openid.oidc_supervisors and not openid.oidc_admins:
        raise SettingsError("OIDC_SUPERVISORS: without it or OIDC_ADMINS nobody could sign in")


def check_switch(switch: Switch) -> None:
    for name in ("ari_url", "switch_webhook_url"):
        address = getattr(switch, name)
        if address and (urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname):
            raise SettingsError(f"{name.upper()}: Expected an http:// or https:// address")
    if switch.ari_url and switch.switch_webhook_url:
        raise SettingsError("SWITCH_WEBHOOK_URL: ARI_URL is set, and there can only be one switch")
    if switch.switch_webhook_url and len(switch.switch_webhook_secret) < 16:
        raise SettingsError("SWITCH_WEBHOOK_SECRET: 16 characters or more sign SWITCH_WEBHOOK_URL")


def check_telling(telling: Telling, summaries: Summaries) -> None:
    networks(telling.webhook_allow)
    if summaries.summary_llm_url and not summaries.summary_llm_model:
        raise SettingsError("SUMMARY_LLM_MODEL: SUMMARY_LLM_URL is set, so this is needed too")


def check_reporting(reporting: Reporting, keeping: Keeping) -> None:
    try:
        ZoneInfo(reporting.report_zone)
    except (ValueError, OSError, LookupError):
        raise SettingsError("REPORT_ZONE: must be the name of a time zone, such as Europe/Berlin") from None
    if not reporting.report_mail_to:
        return
    for name, given in (("to", addresses(reporting.report_mail_to)), ("from", [reporting.report_mail_from])):
        if not all(re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", one) for one in given):
            raise SettingsError(f"REPORT_MAIL_{name.upper()}: must be name@host")
    if not keeping.database_url:
        raise SettingsError("DATABASE_URL: REPORT_MAIL_TO is set, and reports need a database")
    try:
        mail_server(reporting.smtp_url)
    except ValueError:
        raise SettingsError(
            "SMTP_URL: REPORT_MAIL_TO is set; smtp://host:port or smtps://host:port is expected"
        ) from None
