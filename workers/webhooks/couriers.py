"""Delivers messages: one thread for each endpoint that has something due. So a slow receiver holds up nobody else."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from state.archive.opening import Archive, ArchiveAway
from state.webhooks import deliveries
from state.webhooks.deliveries import Claimed, Outcome
from state.webhooks.endpoints import Endpoint

log = logging.getLogger("earshot.webhooks")


class Carrier(Protocol):
    """Takes messages to one endpoint."""

    def deliver(self, claimed: Claimed) -> Outcome:
        """Try once."""
        ...


class Couriers:
    """The threads at work. They end with the process; another one tries an open delivery again later."""

    def __init__(self, archive: Archive, carrier: Callable[[Endpoint], Carrier], stop: Callable[[], bool]) -> None:
        """carrier: makes one for an endpoint, each time that there is something to do."""
        self._archive, self._carrier, self._stop = archive, carrier, stop
        self._busy: dict[str, threading.Thread] = {}

    def send(self, endpoints: list[Endpoint]) -> None:
        """Set a thread to work for each of these that has none."""
        for endpoint in endpoints:
            if (thread := self._busy.get(endpoint.name)) is None or not thread.is_alive():
                thread = threading.Thread(target=self._work, args=(endpoint,), name=endpoint.name, daemon=True)
                self._busy[endpoint.name] = thread
                thread.start()

    def _work(self, endpoint: Endpoint) -> None:
        """Deliver until nothing is due."""
        carrier = self._carrier(endpoint)
        try:
            while not self._stop() and (claimed := deliveries.claim(self._archive, endpoint.name, clock_ms())):
                outcome = _try(carrier, claimed)
                if not outcome.ok:
                    told = {"webhook": endpoint.name, "message_id": claimed.message_id, "error": outcome.error}
                    log.warning("not delivered", extra=told)
                deliveries.settle(self._archive, claimed, outcome, clock_ms())
                if outcome.patient and not outcome.ok:
                    return
        except ArchiveAway as error:
            log.warning("the database is away: messages wait", extra={"error": str(error)})


def _try(carrier: Carrier, claimed: Claimed) -> Outcome:
    """A fault of ours counts as a failed try, so that it does not come again and again for ever."""
    try:
        return carrier.deliver(claimed)
    except Exception as error:
        log.exception("a try failed", extra={"message_id": claimed.message_id})
        return Outcome(False, error=f"Earshot failed: {type(error).__name__}")


def clock_ms() -> int:
    """This machine's clock: pauses of seconds and more need no better one."""
    return time.time_ns() // 1_000_000
