"""Texts that belong to a call besides what was said."""

from __future__ import annotations

from collections.abc import Iterator

from state.views import CallRow


def customer(metadata: dict[str, str]) -> str | None:
    """The caller's name from the metadata, as on the page."""
    return metadata.get("customer") or metadata.get("caller") or None


def known(row: CallRow) -> Iterator[str]:
    """The texts of a call that a search finds, besides what was said."""
    yield from row.metadata.values()
    yield from (alert.reason for alert in row.standing.alerts)
    yield from row.handling.tags
    yield from (note.text for note in row.handling.notes)
    yield row.handling.by
