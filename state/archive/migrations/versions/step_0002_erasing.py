"""Legal holds, what was erased, and calls whose words have gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    """Make them."""
    op.add_column("calls", sa.Column("words_erased_at_ms", sa.BigInteger))
    op.create_table(
        "holds",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("held_by", sa.Text, nullable=False),
        sa.Column("held_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "erased",
        sa.Column("call_id", sa.Text, primary_key=True),
        sa.Column("erased_at_ms", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """A step back throws no holds away."""
    raise NotImplementedError("the step that made holds cannot be taken back")
