"""What the webhooks process remembers of calls (workers/webhooks/notice.py)."""

from __future__ import annotations

import tracemalloc

from state.events import CallEvent, Event, FinalEvent, ScoreEvent, encode
from state.types import Sentiment, Standing, Utterance, Word
from workers.webhooks.notice import Notices

WORDS = [Word(f"word-{n}", n / 2, n / 2 + 0.4, 0.9) for n in range(30)]


def call(call_id: str) -> list[Event]:
    """The events of a call with one utterance. Redaction tells of the utterance once more after its score."""
    final = FinalEvent(call_id, Utterance("customer:0", "customer", 0, 0.0, 15.0, f"said in {call_id}", WORDS))
    return [
        CallEvent(call_id, "live", 1000, None, {"queue": "cards"}),
        final,
        ScoreEvent(call_id, "customer:0", Sentiment(0.5, 0.5), Standing()),
        final,
        CallEvent(call_id, "ended", 1000, 2000, {"queue": "cards"}),
    ]


def test_nothing_is_kept_of_calls_that_have_ended() -> None:
    notices = Notices(lambda _call_id: None)

    def tell(first: int, last: int) -> list[str]:
        calls = [call(f"call-{n}") for n in range(first, last)]
        return [one.type for events in calls for event in events for one in notices.of_event(encode(event), 3000, {})]

    tell(0, 10)
    tracemalloc.start()
    try:
        told = tell(10, 210)
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert told == ["call.started", "transcript.final", "call.started", "call.ended"] * 200
    assert kept_bytes < 500 * 200  # what the test itself holds; a call that is remembered takes 7 kB
