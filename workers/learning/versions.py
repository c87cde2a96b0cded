"""The attention model that scores a call: a call keeps the version that it began with."""

from __future__ import annotations

import logging

import msgspec

from state.attention_models import AttentionModels
from workers.insight import models
from workers.insight.models import SHIPPED, Model

KEPT = 64
"""Most versions in a scorer's memory. Only a cache."""

log = logging.getLogger("earshot.sentiment")


class Versions:
    """The versions that live calls use, and the one for calls that begin. Without a store: the shipped one."""

    def __init__(self, store: AttentionModels | None = None) -> None:
        self._store = store
        self._known: dict[int, Model] = {0: SHIPPED}
        self.latest = 0

    def follow(self) -> bool:
        """Let calls begin with the version that applies now. Returns whether it is a new one."""
        latest = self._store.version() if self._store else 0
        if latest == self.latest:
            return False
        self.get(latest)
        self.latest = latest
        return True

    def get(self, version: int) -> Model:
        """A version. In the place of one that is gone or unreadable, the shipped one."""
        found = self._known.get(version)
        if found is None:
            while len(self._known) >= KEPT:
                del self._known[next(number for number in self._known if number)]
            found = self._known[version] = self._read(version)
        return found

    def _read(self, version: int) -> Model:
        try:
            stored = self._store.get(version) if self._store else None
            if stored is not None:
                return models.decode(stored.content)
            log.error("an attention model is gone; the shipped one serves", extra={"version": version})
        except msgspec.DecodeError as error:
            log.error("cannot read an attention model; the shipped one serves", extra={"error": str(error)})
        return SHIPPED
