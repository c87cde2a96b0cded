"""The same messages as records of a Kafka topic, keyed by call, in order: where KAFKA_BOOTSTRAP is set."""

from __future__ import annotations

from typing import Any

from state.settings import Settings, SettingsError
from state.webhooks.deliveries import Claimed, Outcome

SECONDS = 10
"""At most so many seconds for the brokers to take one record."""


class Topic:
    """One producer. Its order holds: a record that is not taken is tried again before the next."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingsError if the client is not installed."""
        producer = client()
        self._topic = settings.kafka_topic
        self._errors: list[Any] = []
        self._producer = producer(
            {
                "bootstrap.servers": settings.kafka_bootstrap,
                "client.id": "earshot",
                "acks": "all",
                "enable.idempotence": True,
                "message.timeout.ms": SECONDS * 1000,
            }
        )

    def deliver(self, claimed: Claimed) -> Outcome:
        """Produce one record and wait until the brokers have it."""
        self._errors.clear()
        self._producer.produce(
            self._topic,
            key=claimed.call_id.encode(),
            value=claimed.body.encode(),
            headers=[("webhook-id", claimed.message_id.encode())],
            on_delivery=lambda error, _record: self._errors.append(error),
        )
        self._producer.flush(SECONDS + 1)
        if self._errors and self._errors[0] is None:  # comparing the client's errors with == fails
            return Outcome(True)
        return Outcome(False, error=str(self._errors[0]) if self._errors else "no answer in time", patient=True)


def client() -> Any:
    """confluent-kafka's producer. Raises SettingsError if it is not installed."""
    try:
        from confluent_kafka import Producer
    except ImportError:
        raise SettingsError("KAFKA_BOOTSTRAP: this needs a package: pip install confluent-kafka") from None
    return Producer
