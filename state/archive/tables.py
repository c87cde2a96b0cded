"""The archive's tables. A change here needs a step in migrations/versions, and its number in migrations/__init__.py,
which also says what a step may do.

A field that lists are searched, sorted or counted by is a column of `calls`. What is only shown is JSON in
`transcripts`, in the forms of state/types.py. So a call from here looks as it does from Redis.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, Table, Text

METADATA = MetaData()

_ID = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only if their key is called INTEGER."""

_BYTEWISE = Text().with_variant(Text(collation="C"), "postgresql")
"""Sorted as Python sorts it: cursors are compared on both sides."""

calls = Table(
    "calls",
    METADATA,
    Column("id", _ID, primary_key=True, comment="in the order of arrival here"),
    Column("call_id", _BYTEWISE, nullable=False, comment="telephony may use one again later: see started_at_ms"),
    Column("started_at_ms", BigInteger, nullable=False, comment="with call_id, names a call"),
    Column("ended_at_ms", BigInteger, nullable=False),
    Column("agent", Text, comment="of the metadata"),
    Column("queue", Text, comment="of the metadata"),
    Column("customer", Text, comment="of the metadata: customer, else caller"),
    Column("attention", Float, nullable=False, comment="0..1, at the call's end"),
    Column("sentiment", Float, comment="-1..1, at the call's end; null if nothing was scored"),
    Column("peak_attention", Float, comment="0..1, the highest"),
    Column("talk_seconds", Float, comment="of all parties together"),
    Column("handled", Boolean, nullable=False, comment="a supervisor has taken, seen or snoozed it"),
    Column("handled_by", Text),
    Column("handled_at_ms", BigInteger),
    Column("engine", Text, nullable=False, comment="the fleet's speech engine when the call came here"),
    Column("words_erased_at_ms", BigInteger, comment="when WORDS_DAYS took its words"),
    Column("raised_at_ms", BigInteger, comment="when it first needed attention; null: never"),
    Column("mood_before", Float, comment="-1..1, when a supervisor took it; null: nobody did, or nothing was scored"),
    Column("outcome", Text, comment="of the summary: open, settled, done, promised, unclear"),
    Column("talk_ratio", Float, comment="0..1, the agent's share of talk"),
    Column("silence_seconds", Float),
    Column("hold_seconds", Float),
    Column("interruptions", Integer, comment="how often the agent broke in"),
    Column("words_per_minute", Float, comment="the agent's"),
    Index("calls_one", "call_id", "started_at_ms", unique=True),
    Index("calls_by_time", "started_at_ms", "call_id"),
    Index("calls_by_attention", "attention", "call_id"),
    Index("calls_by_agent", "agent", "started_at_ms"),
    Index("calls_by_queue", "queue", "started_at_ms"),
    Index("calls_by_customer", "customer", "started_at_ms"),
)


def _call() -> Column[int]:
    return Column("call", _ID, ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)


tags = Table("tags", METADATA, _call(), Column("tag", Text, primary_key=True), Index("tags_by_tag", "tag", "call"))

alerts = Table(
    "alerts",
    METADATA,
    _call(),
    Column("kind", Text, primary_key=True, comment="of types.Alert"),
    Index("alerts_by_kind", "kind", "call"),
)

judgements = Table(
    "judgements",
    METADATA,
    _call(),
    Column("alert", Text, primary_key=True, comment="kind of types.Alert; needs_attention for the call itself"),
    Column("right", Boolean, nullable=False, comment="a look was needed"),
    Column("why", Text, nullable=False, comment="of types.Why"),
    Column("by", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("judgements_by_time", "at_ms"),
)
"""What supervisors said of alerts: attention is learned from it."""

helps = Table(
    "helps",
    METADATA,
    _call(),
    Column("asked_at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("answered_at_ms", BigInteger, comment="null: nobody did"),
    Column("answered_by", Text),
    Column("cancelled_at_ms", BigInteger, comment="when the agent took the request back; null: never"),
)
"""Agents' requests for help. Their reasons are in `transcripts`, with the words."""

scorecards = Table(
    "scorecards",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False, comment="counts the editions from 1"),
    Column("questions", Text, nullable=False, comment="JSON of list[reviews.Question]"),
    Column("made_by", Text, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False),
)

reviews = Table(
    "reviews",
    METADATA,
    _call(),
    Column("by", Text, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("version", Integer, nullable=False, comment="of the scorecard"),
    Column("answers", Text, nullable=False, comment="JSON of list[reviews.Answered], with the questions as asked"),
    Column("score", Float, comment="0..1, the share of yes; null if every question was out of place"),
    Column("comment", Text, nullable=False),
)
"""Answers on scorecards: each author's last ones for a call."""

holds = Table(
    "holds",
    METADATA,
    Column("kind", Text, primary_key=True, comment="call or customer"),
    Column("name", Text, primary_key=True, comment="the call's id, or the customer"),
    Column("reason", Text, nullable=False),
    Column("held_by", Text, nullable=False),
    Column("held_at_ms", BigInteger, nullable=False),
)
"""Legal holds: nobody may erase what they name."""

erased = Table(
    "erased",
    METADATA,
    Column("call_id", Text, primary_key=True),
    Column("erased_at_ms", BigInteger, nullable=False, comment="a call that began before is not written again"),
)

trail = Table(
    "trail",
    METADATA,
    Column("part", Text, primary_key=True, comment="of people.audit"),
    Column("name", Text, primary_key=True, comment="of the entry in Redis: no two of a part are ever alike"),
    Column("at_ms", BigInteger, nullable=False, comment="when; of repeats the last time"),
    Column("seq", BigInteger, nullable=False, comment="the order within a millisecond"),
    Column("place", Integer, nullable=False, comment="number of the server it came from"),
    Column("first_ms", BigInteger, nullable=False, comment="of repeats the first time"),
    Column("count", BigInteger, nullable=False, comment="how often"),
    Column("who", Text, nullable=False),
    Column("origin", Text, nullable=False, comment="of people.audit"),
    Column("what", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("keep_until_ms", BigInteger, nullable=False, comment="AUDIT_YEARS after at_ms, as that stood then"),
    Index("trail_by_time", "part", "at_ms", "seq", "place"),
    Index("trail_by_end", "keep_until_ms"),
)
"""The audit trail. Triggers of the database refuse every change of a row, and its deletion before keep_until_ms."""

sent_reports = Table(
    "sent_reports",
    METADATA,
    Column("week", Text, primary_key=True, comment="the Monday it begins with: 2026-11-16"),
    Column("way", Text, primary_key=True, comment="mail"),
    Column("begun_at_ms", BigInteger, nullable=False, comment="somebody is sending it, or was killed while at it"),
    Column("sent_at_ms", BigInteger, comment="null while it is not sent"),
)
"""Weekly reports, so that each is sent once."""

endpoints = Table(
    "endpoints",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False, comment="of happenings.EVENT_TYPES, with commas between"),
    Column("form", Text, nullable=False, comment="endpoints.Form"),
    Column("secret", Text, nullable=False, comment="signs what is sent, so it must stand here in the clear"),
    Column("made_at_ms", BigInteger, nullable=False, comment="it is told nothing of before"),
    Column("gone_at_ms", BigInteger, comment="when it was switched off; null: it is on"),
    Column("gone_why", Text),
)
"""Webhooks: see state/webhooks."""

messages = Table(
    "messages",
    METADATA,
    Column("number", _ID, primary_key=True, comment="in the order of happening, nearly"),
    Column("id", Text, nullable=False, unique=True, comment="follows from what it tells"),
    Column("type", Text, nullable=False, comment="happenings.EventType"),
    Column("call_id", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False, comment="JSON as it is sent: words of the call among it"),
    Index("messages_by_call", "call_id"),
    Index("messages_by_time", "at_ms"),
)

deliveries = Table(
    "deliveries",
    METADATA,
    Column("message", _ID, ForeignKey("messages.number", ondelete="CASCADE"), primary_key=True),
    Column("endpoint", Text, ForeignKey("endpoints.name", ondelete="CASCADE"), primary_key=True),
    Column("state", Text, nullable=False, comment="deliveries.State"),
    Column("tries", Integer, nullable=False, comment="begun"),
    Column("due_at_ms", BigInteger, nullable=False, comment="of the next try; while one goes on, until when it may"),
    Column("tried_at_ms", BigInteger, comment="when the last try came to its end"),
    Column("status", Integer, comment="of the last answer"),
    Column("error", Text, comment="of the last try"),
    Index("deliveries_due", "endpoint", "state", "due_at_ms"),
)

positions = Table(
    "positions",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("cursor", Text, nullable=False, comment="of the calls' feed: all before it is in messages"),
)

transcripts = Table(
    "transcripts",
    METADATA,
    _call(),
    Column("row", Text, nullable=False, comment="JSON of views.CallRow: standing, alerts, handling, notes, tracks"),
    Column("summary", Text, nullable=False, comment="JSON: what the jobs process wrote, talk figures among it"),
    Column("utterances", Text, nullable=False, comment="JSON of list[types.ScoredUtterance]: words, scores, voices"),
    Column("text", Text, nullable=False, comment="what a search finds: all that was said, and what is known"),
)
"""One row a call. The full-text index over `text` differs by database: in SQLite the FTS5 table `words`, kept up by
triggers; in PostgreSQL the column `words` (tsvector), which the database computes. Both take words as they are: no
stems, no stop words."""

recordings = Table(
    "recordings",
    METADATA,
    _call(),
    Column("made_at_ms", BigInteger, nullable=False),
    Column("about", Text, nullable=False, comment="JSON of recording.catalogue.Recording"),
)
"""Calls whose sound is in the store of recordings (state/recording)."""
