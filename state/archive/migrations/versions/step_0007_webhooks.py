"""Webhooks: endpoints, messages, deliveries, and the place in the feed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0007", "0006"


def upgrade() -> None:
    """Make them."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "endpoints",
        sa.Column("name", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("url", "events", "form", "secret")),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
        sa.Column("gone_at_ms", sa.BigInteger),
        sa.Column("gone_why", sa.Text),
    )
    op.create_table(
        "messages",
        sa.Column("number", key, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("type", "call_id")),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("messages_by_call", "messages", ["call_id"])
    op.create_index("messages_by_time", "messages", ["at_ms"])
    op.create_table(
        "deliveries",
        sa.Column("message", key, sa.ForeignKey("messages.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("endpoint", sa.Text, sa.ForeignKey("endpoints.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due_at_ms", sa.BigInteger, nullable=False),
        sa.Column("tried_at_ms", sa.BigInteger),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.Text),
    )
    op.create_index("deliveries_due", "deliveries", ["endpoint", "state", "due_at_ms"])
    op.create_table(
        "positions",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("cursor", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """A step back throws no waiting messages away."""
    raise NotImplementedError("the step that made webhooks cannot be taken back")
