"""What Earshot tells other programs and people by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from state.settings.values import about


@dataclass(frozen=True, kw_only=True)
class Telling:
    """Webhooks and Kafka."""

    webhook_allow: Annotated[
        str,
        about(
            "Internal addresses and networks that webhooks may reach, by http:// too, with commas between: 10.1.2.0/24."
            " Empty: none"
        ),
    ] = ""
    kafka_bootstrap: Annotated[
        str,
        about(
            "host:port of Kafka brokers that get the webhooks' messages, keyed by call (it needs confluent-kafka)."
            " Empty: none"
        ),
    ] = ""
    kafka_topic: Annotated[str, about("Topic of these messages", pattern=r"^[A-Za-z0-9._-]{1,249}$")] = "earshot"


@dataclass(frozen=True, kw_only=True)
class Reporting:
    """The weekly report by mail."""

    report_mail_to: Annotated[
        str, about("Who gets the weekly report on Mondays, name@host, ... Needs DATABASE_URL. Empty: nobody")
    ] = ""
    report_mail_from: Annotated[str, about("Address that it comes from")] = ""
    smtp_url: Annotated[
        str, about("Mail server for it: smtp://user:password@host:587 (STARTTLS if offered) or smtps://host:465")
    ] = ""
    report_zone: Annotated[str, about("Time zone of its days and of that morning, such as Europe/Berlin")] = "UTC"


@dataclass(frozen=True, kw_only=True)
class Summaries:
    """Summaries by a language model."""

    summary_llm_url: Annotated[
        str,
        about(
            "Address of an OpenAI-compatible API (http://host:port/v1) that also writes summaries of ended calls, from"
            " masked words. Empty: none, no word leaves Earshot",
            pattern="^(https?://.+)?$",
        ),
    ] = ""
    summary_llm_key: Annotated[str, about("Key of that API, if it wants one")] = ""
    summary_llm_model: Annotated[str, about("Name of the model there")] = ""
