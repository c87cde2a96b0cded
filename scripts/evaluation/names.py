"""`--names`: how often names are written right before and after a queue's list, and what the list spoils elsewhere.

Each of the synthesiser's voices speaks each sentence over a clean telephone line. One list of all the names then goes
over every written call's true words. Nobody says a listed name there, so each change is a false one.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import yaml

from scripts.evaluation import written
from scripts.evaluation.decoding import hear
from scripts.evaluation.lines import mulaw, pcm
from scripts.evaluation.speech import VOICES, say
from scripts.evaluation.stats import table
from workers.engines.base import Model
from workers.engines.choose import Wanted, choose
from workers.engines.vocabulary import Vocabulary

FILE = Path(__file__).with_name("sets") / "names.yaml"


class Sentence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name in its right spelling, and a sentence that holds it."""

    name: str
    said: str


class Names(msgspec.Struct, frozen=True):
    """Figures of one half. wrong_before, wrong_after: names not written as on the list, of `said`. changed: other words
    that the list changed in these sentences. false: changes in `words` true words of the written calls."""

    said: int
    wrong_before: int
    wrong_after: int
    changed: int
    false: int
    words: int


def load() -> dict[str, list[Sentence]]:
    """The sentences read while tuning, and those kept apart."""
    return msgspec.convert(yaml.safe_load(FILE.read_text(encoding="utf-8")), dict[str, list[Sentence]])


def figures(wanted: Wanted) -> dict[str, Names]:
    """The figures of each half, with the list of its own names, as this engine hears them. Raises ModelUnusable,
    OSError or ValueError if nothing can speak or hear."""
    model = choose(wanted).load()
    return {half: _half(model, sentences) for half, sentences in load().items()}


def report(found: dict[str, Names]) -> str:
    """A table for people."""
    rows = [
        [half, str(n.said), f"{n.wrong_before / n.said:.0%}", f"{n.wrong_after / n.said:.0%}", str(n.changed),
         f"{n.false} of {n.words}"]
        for half, n in found.items()
    ]  # fmt: skip
    return table(["names", "said", "wrong before", "wrong after", "others changed", "false in calls"], rows)


def _half(model: Model, sentences: list[Sentence]) -> Names:
    vocabulary = Vocabulary([one.name for one in sentences])
    before = after = changed = 0
    for one in sentences:
        for voice in VOICES:
            finals, _ = hear(model, pcm(mulaw(say(one.said, voice))))
            heard = " ".join(final.text for final in finals)
            corrected = vocabulary.correct_text(heard)
            before += not _holds(heard, one.name)
            after += not _holds(corrected, one.name)
            changed += corrected != heard and not _holds(corrected, one.name)
    false = words = 0
    for name in written.FILES:
        for call in written.load(name):
            for turn in written.spoken(call):
                words += len(turn.text.split())
                false += vocabulary.correct_text(turn.text) != turn.text
    return Names(len(sentences) * len(VOICES), before, after, changed, false, words)


def _holds(text: str, name: str) -> bool:
    return name.lower() in text.lower()
