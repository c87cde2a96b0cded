"""Sends the demo calls through the engine that the environment names, in simulated time, without fleet and Redis."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.evaluation.calls import Call
from scripts.evaluation.decoding import decode, read_pcm
from scripts.simulator.recording import PARTIES
from workers.engines.base import Model
from workers.engines.choose import Wanted, choose
from workers.insight.words.spoken import Spoken


def recognise(calls: list[Call], folder: Path, wanted: Wanted) -> list[Call]:
    """The same calls with recognised utterances. Calls without recordings keep what they had.

    Raises ModelUnusable, OSError or ValueError if the engine or a recording is of no use.
    """
    model = choose(wanted).load()
    return [call._replace(recognised=_recognise(model, folder / call.folder) or call.recognised) for call in calls]


def _recognise(model: Model, call: Path) -> list[Spoken]:
    said: list[Spoken] = []
    for party in PARTIES:
        if not (call / f"{party}.wav").exists():
            return []
        finals, _ = decode(model, *read_pcm(call, party), chunk_seconds=1.0, partials=False)
        said += [Spoken(f"{party}:{n}", party, final.start, final.end, final.text) for n, final in enumerate(finals)]
    sys.stderr.write(f"evaluate: recognised {call.name}\n")
    return said
