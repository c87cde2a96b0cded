"""Decodes a dead-lettered chunk once more, alone, in a job's own process. If it kills that, it hurts nobody else."""

from __future__ import annotations

import redis

from state import settings
from state.calls.dead import DeadLetters, Redriven
from state.server.shards import Shards
from workers.decoder.alone import decode_alone
from workers.engines.choose import Wanted, choose
from workers.insight.redaction.masking import cautious


def redrive(store: Shards | redis.Redis, letter_id: str) -> str:
    """The job: decode letter `letter_id` and keep its text, masked as a partial is. Repeating it gives the same."""
    letters = DeadLetters(store)
    letter = letters.get(letter_id)
    if letter is None:
        return "GONE"
    values = settings.load()
    try:
        model = choose(Wanted.by(values)).load()
        text = decode_alone(model, letter.audio, letter.encoding, letter.rate)
        redriven = Redriven(cautious(text) if values.redact else text)
    except Exception as error:
        redriven = Redriven("", f"{type(error).__name__}: {error}")
    return "OK" if letters.note(letter_id, redriven) else "GONE"
