"""Figures for reports, and which were sent. Calls archived before have no such figures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0005", "0004"


def upgrade() -> None:
    """Make them."""
    op.add_column("calls", sa.Column("raised_at_ms", sa.BigInteger))
    op.add_column("calls", sa.Column("outcome", sa.Text))
    op.add_column("calls", sa.Column("interruptions", sa.Integer))
    for name in ("mood_before", "talk_ratio", "silence_seconds", "hold_seconds", "words_per_minute"):
        op.add_column("calls", sa.Column(name, sa.Float))
    op.create_table(
        "sent_reports",
        sa.Column("week", sa.Text, primary_key=True),
        sa.Column("way", sa.Text, primary_key=True),
        sa.Column("begun_at_ms", sa.BigInteger, nullable=False),
        sa.Column("sent_at_ms", sa.BigInteger),
    )


def downgrade() -> None:
    """A step back does not forget what was sent."""
    raise NotImplementedError("the step that made reports cannot be taken back")
