"""Which calls have a recording."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    """Make the table."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "recordings",
        sa.Column("call", key, sa.ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """A step back does not throw the files away, and nobody would find them."""
    raise NotImplementedError("the step that made recordings cannot be taken back")
