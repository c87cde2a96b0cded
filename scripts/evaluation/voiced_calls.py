"""The effect of voices on attention: written calls whose customer's turns get the voices of acted utterances.

Turns with displeased words get an angry voice, glad ones a happy voice, all others a calm one, all from one speaker. To
be fair to the words, every third call that needs nobody also has one calm turn in an angry voice, as of somebody who
calls over to another room.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from scripts.evaluation import written
from scripts.evaluation.figures import follow
from scripts.evaluation.lines import RATE, SEED, pcm
from scripts.evaluation.stats import auc, shown, table
from scripts.evaluation.voices import Acted
from state.types import Voice
from workers.insight.attention import AttentionModel
from workers.insight.words.spoken import Spoken
from workers.voice.measure import measure

DISPLEASED_BELOW, GLAD_ABOVE = -0.35, 0.3
SHOUTS_EVERY = 3

Voices = dict[tuple[str, str], list[Voice]]
"""Voices by speaker and mood."""


def report(acted: Sequence[Acted], model: AttentionModel) -> str:
    """A table: how calls rank by their highest attention, and how many are raised, without and with voices."""
    voices: Voices = {}
    for one in acted:
        found = measure(pcm(one.samples), RATE, words=0)
        if found is not None:
            voices.setdefault((one.speaker, one.mood), []).append(found)
    calls = [call for name in written.FILES for call in written.load(name)]
    plain = [(call.needed, *follow(written.spoken(call), model)[1:]) for call in calls]
    dice = random.Random(SEED)
    voiced = [(call.needed, *follow(_voiced(call, n, voices, model, dice), model)[1:]) for n, call in enumerate(calls)]
    rows = [_row(name, judged) for name, judged in (("words alone", plain), ("words and voices", voiced))]
    head = [f"{len(calls)} written calls", "AUC of the highest attention", "needed, raised", "others, raised"]
    return table(head, rows)


def _voiced(
    call: written.Written, number: int, voices: Voices, model: AttentionModel, dice: random.Random
) -> list[Spoken]:
    speakers = sorted({speaker for speaker, _ in voices})
    speaker = speakers[number % len(speakers)]
    said = written.spoken(call)
    turns = [one for one in said if one.party != "agent"]
    calm = [one.id for one in turns if _mood(one, model) == "neutral"]
    shouts = dice.choice(calm) if calm and not call.needed and number % SHOUTS_EVERY == 0 else ""

    def voice(one: Spoken) -> Voice:
        return dice.choice(voices[speaker, "angry" if one.id == shouts else _mood(one, model)])

    return [msgspec.structs.replace(one, voice=voice(one)) if one.party != "agent" else one for one in said]


def _mood(one: Spoken, model: AttentionModel) -> str:
    polarity = model.analyzer.score(one.text, one.party).polarity
    return "angry" if polarity < DISPLEASED_BELOW else "happy" if polarity > GLAD_ABOVE else "neutral"


def _row(name: str, judged: list[tuple[bool, float, bool]]) -> list[str]:
    needed = [(live, raised) for needs, live, raised in judged if needs]
    others = [(live, raised) for needs, live, raised in judged if not needs]
    found = auc([live for live, _ in needed], [live for live, _ in others])
    counts = [f"{sum(raised for _, raised in some)} of {len(some)}" for some in (needed, others)]
    return [name, shown(found), *counts]
