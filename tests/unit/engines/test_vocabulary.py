"""A listed name replaces the words that the engine heard in its place, and no other words."""

from __future__ import annotations

import random

import msgspec
import pytest

from state.types import Word
from workers.engines.selfcheck import decode
from workers.engines.stub import StubModel
from workers.engines.vocabulary import Vocabulary, VocabularyModel

NAMES = Vocabulary(["Okafor", "Brightwater", "Riverside Bistro", "Velocom", "Ann"])


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("my name is oka for and", "my name is Okafor and"),
        ("Hello, Okafer, yes.", "Hello, Okafor, yes."),
        ("the bright water plan", "the Brightwater plan"),
        ("a table at river side bistro", "a table at Riverside Bistro"),
        ("it's Velacom's box", "it's Velocom's box"),
        ("okafor is right as it is", "okafor is right as it is"),
        ("i can call you about the water", "i can call you about the water"),
        ("is that okay for you", "is that okay for you"),
        ("bright. Water", "bright. Water"),
        ("an apple", "an apple"),
        ("1 2 3", "1 2 3"),
        ("", ""),
    ],
)
def test_what_sounds_like_a_name_is_written_as_it(heard: str, written: str) -> None:
    assert NAMES.correct_text(heard) == written
    assert NAMES.correct_text(written) == written


def test_a_name_has_the_time_and_the_least_confidence_of_what_was_heard() -> None:
    heard = [Word("a", 0.0, 0.5, 0.8), Word("oka", 0.5, 1.0, 0.7), Word("for", 1.0, 1.5, 0.4), Word("b", 1.5, 2, 1.0)]
    assert NAMES.correct(heard)[1:3] == [Word("Okafor", 0.5, 1.5, 0.4), heard[3]]
    two = NAMES.correct([Word("riversidebistro", 1.0, 2.5, None)])
    assert [(word.word, word.start, word.end) for word in two] == [("Riverside", 1.0, 1.9), ("Bistro", 1.9, 2.5)]


def test_an_engine_that_is_sure_is_believed() -> None:
    sure = [Word("Okifer", 0.0, 1.0, 0.99)]
    assert NAMES.correct([msgspec.structs.replace(sure[0], conf=0.3)])[0].word == "Okafor"
    assert NAMES.correct(sure) == sure


def test_moves_change_no_byte_and_the_identity_names_the_list() -> None:
    heard = decode(StubModel(), bytes(16000 * 12), 8000, 8000, lambda _number: False).finals
    letters = "".join(letter for letter in heard[0].words[0].word if letter.isalpha())
    name = f"{letters[:2].title()} {letters[2:].title()}"
    model = VocabularyModel(StubModel(), Vocabulary([name]))
    assert model.identity.startswith("stub:1+names:")
    assert model.identity != VocabularyModel(StubModel(), NAMES).identity
    warm = decode(model, bytes(16000 * 12), 8000, 8000, lambda _number: False)
    assert name in warm.finals[0].text and any(name in snapshot.partial for snapshot in warm.snapshots)
    for seed in range(3):
        dice = random.Random(seed)
        moved = decode(model, bytes(16000 * 12), 8000, 8000, lambda _number, dice=dice: dice.random() < 0.5)
        assert msgspec.msgpack.encode(moved) == msgspec.msgpack.encode(warm)
    with pytest.raises(ValueError, match="another"):
        model.recogniser(8000, msgspec.structs.replace(warm.snapshots[0], model="another"))
