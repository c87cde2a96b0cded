"""What supervisors said of alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0006", "0005"


def upgrade() -> None:
    """Make them."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "judgements",
        sa.Column("call", key, sa.ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("alert", sa.Text, primary_key=True),
        sa.Column("right", sa.Boolean, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("judgements_by_time", "judgements", ["at_ms"])


def downgrade() -> None:
    """A step back throws no judgements away."""
    raise NotImplementedError("the step that made judgements cannot be taken back")
