"""Agents' requests for help, and who answered them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0009", "0008"


def upgrade() -> None:
    """Make them."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "helps",
        sa.Column("call", key, sa.ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("asked_at_ms", sa.BigInteger, primary_key=True),
        sa.Column("answered_at_ms", sa.BigInteger),
        sa.Column("answered_by", sa.Text),
        sa.Column("cancelled_at_ms", sa.BigInteger),
    )


def downgrade() -> None:
    """A step back throws no requests away."""
    raise NotImplementedError("the step that made requests for help cannot be taken back")
