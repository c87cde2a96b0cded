"""The audit trail, which only grows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0004", "0003"

_SAID = "the audit trail is only added to"

_SQLITE = (
    f"CREATE TRIGGER trail_stays BEFORE UPDATE ON trail BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
    "CREATE TRIGGER trail_lasts BEFORE DELETE ON trail"
    " WHEN old.keep_until_ms > CAST(strftime('%s', 'now') AS INTEGER) * 1000"
    f" BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
    # INSERT OR REPLACE deletes without asking the trigger above.
    "CREATE TRIGGER trail_once BEFORE INSERT ON trail"
    " WHEN EXISTS (SELECT 1 FROM trail WHERE part = new.part AND name = new.name) BEGIN SELECT RAISE(IGNORE); END",
)
_POSTGRESQL = (
    "CREATE FUNCTION trail_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF TG_OP = 'DELETE' THEN"
    " IF old.keep_until_ms <= extract(epoch FROM now()) * 1000 THEN RETURN old; END IF;"
    " END IF;"
    f" RAISE EXCEPTION '{_SAID}'; END $$",
    "CREATE TRIGGER trail_stays BEFORE UPDATE OR DELETE ON trail FOR EACH ROW EXECUTE FUNCTION trail_stays()",
    "CREATE TRIGGER trail_is_not_emptied BEFORE TRUNCATE ON trail FOR EACH STATEMENT EXECUTE FUNCTION trail_stays()",
)


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "trail",
        sa.Column("part", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("first_ms", sa.BigInteger, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("who", "origin", "what", "about", "address")),
        sa.Column("keep_until_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("trail_by_time", "trail", ["part", "at_ms", "seq", "place"])
    op.create_index("trail_by_end", "trail", ["keep_until_ms"])
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """A step back does not throw the trail away."""
    raise NotImplementedError("the step that made the trail cannot be taken back")
