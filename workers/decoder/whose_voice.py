"""Whose voice is measured. Inferring employees' emotions is forbidden in the European Union (docs/PRIVACY.md)."""

from __future__ import annotations

from workers.insight.words.spoken import party_of


def is_measured(setting: str, track: str) -> bool:
    """Whether a track's voice is measured under `setting`: customers (everybody but agents), everyone, or off."""
    return setting == "everyone" or (setting == "customers" and party_of(track) != "agent")
