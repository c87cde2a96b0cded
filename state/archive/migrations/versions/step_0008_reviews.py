"""Scorecards: the questions by edition, and the answers for ended calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0008", "0007"


def upgrade() -> None:
    """Make them."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "scorecards",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("questions", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "reviews",
        sa.Column("call", key, sa.ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("by", sa.Text, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("answers", sa.Text, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("comment", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """A step back throws no reviews away."""
    raise NotImplementedError("the step that made reviews cannot be taken back")
