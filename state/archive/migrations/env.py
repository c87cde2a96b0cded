"""Alembic runs this to run the steps, on the connection that opening.py gives it."""

from __future__ import annotations

from alembic import context

from state.archive.migrations.standing import STEP
from state.archive.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=STEP,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
