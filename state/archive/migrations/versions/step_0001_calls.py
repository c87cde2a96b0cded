"""Calls, their tags, alerts and transcripts, and the full-text index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None

_SQLITE = (
    "CREATE VIRTUAL TABLE words USING fts5(text, content='transcripts', content_rowid='call', "
    "tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER words_in AFTER INSERT ON transcripts BEGIN "
    "INSERT INTO words(rowid, text) VALUES (new.call, new.text); END",
    "CREATE TRIGGER words_out AFTER DELETE ON transcripts BEGIN "
    "INSERT INTO words(words, rowid, text) VALUES ('delete', old.call, old.text); END",
    "CREATE TRIGGER words_change AFTER UPDATE OF text ON transcripts BEGIN "
    "INSERT INTO words(words, rowid, text) VALUES ('delete', old.call, old.text); "
    "INSERT INTO words(rowid, text) VALUES (new.call, new.text); END",
)
_POSTGRESQL = (
    "ALTER TABLE transcripts ADD COLUMN words tsvector GENERATED ALWAYS AS (to_tsvector('simple', text)) STORED",
    "CREATE INDEX transcripts_words ON transcripts USING gin (words)",
)


def upgrade() -> None:
    """Make them."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    call_id = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "calls",
        sa.Column("id", key, primary_key=True),
        sa.Column("call_id", call_id, nullable=False),
        sa.Column("started_at_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("agent", "queue", "customer")),
        sa.Column("attention", sa.Float, nullable=False),
        *(sa.Column(name, sa.Float) for name in ("sentiment", "peak_attention", "talk_seconds")),
        sa.Column("handled", sa.Boolean, nullable=False),
        sa.Column("handled_by", sa.Text),
        sa.Column("handled_at_ms", sa.BigInteger),
        sa.Column("engine", sa.Text, nullable=False),
    )
    op.create_index("calls_one", "calls", ["call_id", "started_at_ms"], unique=True)
    op.create_index("calls_by_time", "calls", ["started_at_ms", "call_id"])
    op.create_index("calls_by_attention", "calls", ["attention", "call_id"])
    for name in ("agent", "queue", "customer"):
        op.create_index(f"calls_by_{name}", "calls", [name, "started_at_ms"])
    for table, column in (("tags", "tag"), ("alerts", "kind")):
        op.create_table(
            table,
            sa.Column("call", key, sa.ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
            sa.Column(column, sa.Text, primary_key=True),
        )
        op.create_index(f"{table}_by_{column}", table, [column, "call"])
    op.create_table(
        "transcripts",
        sa.Column("call", key, sa.ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("row", "summary", "utterances", "text")),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """A step back throws no calls away."""
    raise NotImplementedError("the archive's first step cannot be taken back")
