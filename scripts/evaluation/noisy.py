"""`--noisy`: how Earshot judges calls that it hears over a noisy line, beside their true words.

It takes the demo calls as recorded, and the written calls as a synthesiser speaks them. The line has hiss 20 dB under
the speech, and G.711. The offline engine hears them. Voices are measured as in the decoders.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from scripts.evaluation import calls, wer, written
from scripts.evaluation.decoding import hear, read_samples
from scripts.evaluation.figures import Call, Figures, figures, follow
from scripts.evaluation.lines import RATE, pcm
from scripts.evaluation.speech import SpokenCall, on_the_line, speak
from scripts.evaluation.stats import shown, table
from scripts.simulator.recording import PARTIES
from workers.decoder.whose_voice import is_measured
from workers.engines.base import Model
from workers.engines.choose import Wanted, choose
from workers.insight.attention import AttentionModel
from workers.insight.words.spoken import Spoken
from workers.voice.measure import measure

SNR_DB = 20.0
"""Decibels from speech to hiss: on this line the engine mishears about every fourth word of these synthetic voices."""


class Heard(NamedTuple):
    """One call, judged by its true words and by the recognised ones."""

    true: Call
    recognised: Call
    word_errors: int
    words: int
    raised_voices: int


class Noisy(msgspec.Struct, frozen=True):
    """A set on the noisy line. word_error_rate: share of 1. raised_voices: calls in which a voice counted as raised."""

    peak_auc: float | None
    live_peak_auc: float | None
    good: int
    good_raised: int
    bad: int
    bad_raised: int
    word_error_rate: float
    raised_voices: int


class Column(NamedTuple):
    """A set's figures, on true words and on the line."""

    true: Figures
    noisy: Noisy


def columns(folder: Path, attention: AttentionModel, wanted: Wanted) -> dict[str, Column]:
    """The figures of the demo calls in `folder` and the written ones, by set, as this engine hears them. Raises
    ModelUnusable, OSError or ValueError if nothing can speak, read or recognise them."""
    model = choose(wanted).load()
    sets: dict[str, list[Heard]] = {}
    for name, needed, call in _spoken(folder):
        sets.setdefault(name, []).append(_judge(needed, call, model, attention))
        sys.stderr.write(f"evaluate: recognised {name} {len(sets[name])}\n")
    return {name: _column(heard) for name, heard in sets.items()}


def report(found: dict[str, Column]) -> str:
    """A table for people."""
    rows = []
    for name, (true, noisy) in found.items():
        for words, told in (("true", true), (f"{noisy.word_error_rate:.0%} wrong", noisy)):
            raised = str(noisy.raised_voices) if told is noisy else "-"
            rows.append(
                [
                    f"{name}, words {words}",
                    shown(told.peak_auc),
                    shown(told.live_peak_auc),
                    f"{told.good_raised}/{told.good}",
                    f"{told.bad_raised}/{told.bad}",
                    raised,
                ]
            )
    return table(["spoken, noisy line", "peak AUC", "live peak", "good raised", "bad raised", "raised voices"], rows)


def _spoken(folder: Path) -> Iterator[tuple[str, bool, SpokenCall]]:
    """(set, needed, call) of all calls. They come one after the other, because their sound is large."""
    for known in calls.load(folder, None):
        tracks = {party: read_samples(folder / known.folder, party) for party in PARTIES}
        yield "demo", known.truth["needs_attention"], SpokenCall(calls.spoken(known.truth), tracks)
    for name, some in written.by_set().items():
        for number, call in enumerate(some):
            yield name, call.needed, speak(written.spoken(call), number)


def _judge(needed: bool, call: SpokenCall, model: Model, attention: AttentionModel) -> Heard:
    recognised: list[Spoken] = []
    errors = words = 0
    for party in call.tracks:
        samples = pcm(on_the_line(call, party, SNR_DB))
        finals, _ = hear(model, samples)
        for n, final in enumerate(finals):
            said = samples[round(final.start * RATE) : round(final.end * RATE)]
            voice = measure(said, RATE, len(final.words)) if is_measured("customers", party) else None
            recognised.append(Spoken(f"{party}:{n}", party, final.start, final.end, final.text, voice=voice))
        wrong, of = wer.errors(
            " ".join(one.text for one in call.said if one.track == party), " ".join(final.text for final in finals)
        )
        errors, words = errors + wrong, words + of
    loud = attention.standing(recognised).loud
    rating = 1.0 if needed else 5.0
    true, heard = (Call(rating, None, *follow(said, attention), []) for said in (call.said, recognised))
    return Heard(true, heard, errors, words, int(bool(loud)))


def _column(heard: list[Heard]) -> Column:
    found = figures([one.recognised for one in heard])
    return Column(
        figures([one.true for one in heard]),
        Noisy(
            found.peak_auc,
            found.live_peak_auc,
            found.good,
            found.good_raised,
            found.bad,
            found.bad_raised,
            round(sum(one.word_errors for one in heard) / sum(one.words for one in heard), 4),
            sum(one.raised_voices for one in heard),
        ),
    )
