"""A live call never shows or stores more than the ended call. What is stored at the end is always the same."""

from __future__ import annotations

import itertools
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.types import ScoredUtterance, Sentiment, Utterance, Word
from workers.insight.redaction.dictation import MASKED_NUMBER as MASK
from workers.insight.redaction.masking import cautious, hide, mask, plain, settled, view, without_numbers

SCORE = Sentiment(0.0, 0.0)
TRACKS = ["agent", "customer"]


def call(*turns: tuple[str, str], scored: bool = False) -> list[ScoredUtterance]:
    """Turns ("a" or "c", text), five seconds each, in canonical order."""
    counts = {"agent": 0, "customer": 0}
    said = []
    for n, (who, text) in enumerate(turns):
        track = "agent" if who == "a" else "customer"
        start = 5.0 * n
        words = [Word(word, start + i / 10, start + i / 10 + 0.1, None) for i, word in enumerate(text.split())]
        index = counts[track]
        counts[track] += 1
        said.append(
            ScoredUtterance(
                id=f"{track}:{index}", track=track, index=index, start=start, end=start + 4, text=text, words=words,
                sentiment=SCORE if scored else None,
            )
        )  # fmt: skip
    return said


def live(said: list[ScoredUtterance], order: list[int]) -> tuple[list[str], list[str]]:
    """Score in this order, as the worker does. Returns all texts that were ever shown, and those stored at the end."""
    stored = list(said)
    told = [hide(u).text for u in said]
    for count, n in enumerate(order, 1):
        after = list(stored)
        after[n] = msgspec.structs.replace(stored[n], sentiment=SCORE)
        made = mask(stored, after, TRACKS, last=count == len(order))
        told += [u.text for u in made.tell]
        told += [u.text for u in made.transcript]
        told += [u.text for u in view(stored)]
        changed = {u.id: u for u in made.store}
        stored = [
            msgspec.structs.replace(u, text=changed[u.id].text, words=changed[u.id].words) if u.id in changed else u
            for u in after
        ]
    return told, [u.text for u in stored]


CARD = (
    ("a", "can you read me the long number"),
    ("c", "yes um it's four zero zero one"),
    ("a", "go on"),
    ("c", "five six six seven"),
    ("c", "eight eight nine nine"),
    ("a", "and the last ones"),
    ("c", "four three two one that was it"),
    ("a", "thank you"),
)
ORDER = (
    ("a", "can i have the order number please"),
    ("c", "sure it's seven four two zero nine five five one"),
    ("a", "seven four two zero nine five five one thank you"),
    ("c", "so where is it"),
)


@pytest.mark.parametrize("text", ["four zero zero one", "it's four zero zero one", "double two five and so on"])
def test_what_may_be_part_of_a_number_is_hidden_at_first(text: str) -> None:
    assert MASK in cautious(text) and len(cautious(text).split()) == len(text.split())


@pytest.mark.parametrize("text", ["there were two of us", "i waited forty five minutes", "for you to see", ""])
def test_plain_speech_is_not_hidden(text: str) -> None:
    assert cautious(text) == text == without_numbers(text)


def test_a_number_in_several_breaths_is_never_seen() -> None:
    said = call(*CARD)
    for order in (range(8), range(7, -1, -1), [1, 0, 3, 2, 4, 6, 5, 7]):
        told, stored = live(said, list(order))
        assert not any(piece in text for text in told + stored for piece in ("zero", "six", "eight", "three two"))
        assert stored[7] == "thank you" and stored[6].endswith("that was it")


def test_a_harmless_number_appears_once_it_is_known_to_be_harmless() -> None:
    said = call(*ORDER)
    told, stored = live(said, [0, 1, 2, 3])
    assert stored == [text for _, text in ORDER]
    assert told.count(ORDER[1][1]) > 0 and cautious(ORDER[1][1]) in told


def test_words_keep_their_times_and_lose_their_letters() -> None:
    said = call(*CARD, scored=True)
    for was, now in zip(said, view(said), strict=True):
        assert [(w.start, w.end) for w in now.words] == [(w.start, w.end) for w in was.words]
        assert [w.word for w in now.words] == now.text.split()


def test_the_scored_transcript_is_masked_in_the_store_before_the_end_if_it_is_certain() -> None:
    said = call(*CARD[:5], scored=True)
    assert {u.id for u in settled(said, TRACKS)} == {"customer:0", "customer:1", "customer:2"}


def test_what_hangs_on_a_party_not_heard_yet_is_shown_masked_but_not_stored_so() -> None:
    said = call(("c", "it's seven four two zero nine five five one"), ("c", "and so on"), scored=True)
    assert MASK in view(said)[0].text and settled(said, TRACKS) == []
    assert [u.id for u in settled(said, ["customer"])] == ["customer:0"]
    assert [u.id for u in settled(said, TRACKS, ended=True)] == ["customer:0"]


SCRIPTS = [CARD, ORDER, CARD + ORDER, (*ORDER, *CARD, ("c", "my pin is four two nine one"), ("a", "okay"))]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SCRIPTS), st.randoms(use_true_random=False))
def test_what_is_stored_at_the_end_does_not_hang_on_who_was_faster(
    turns: tuple[tuple[str, str], ...], dice: random.Random
) -> None:
    said = call(*turns)
    order = list(range(len(said)))
    dice.shuffle(order)
    whole = {u.id: u for u in settled([msgspec.structs.replace(u, sentiment=SCORE) for u in said], TRACKS, ended=True)}
    assert live(said, order)[1] == [whole.get(u.id, plain(u)).text for u in said]


def test_a_long_call_is_masked_without_looking_at_all_of_it_again() -> None:
    chat = (("a", "i see"), ("c", "so i went there and nobody was in"))
    turns = (*itertools.islice(itertools.cycle(chat), 80), *CARD, *itertools.islice(itertools.cycle(chat), 80))
    said = call(*turns)
    told, stored = live(said, list(range(len(said))))
    assert not any("zero" in text or "eight" in text for text in told + stored)
    assert sum(MASK in text for text in stored) == 4


def test_an_utterance_whose_words_are_split_otherwise_loses_them_rather_than_tell() -> None:
    odd = Utterance("c:0", "c", 0, 0.0, 1.0, "four zero zero one", [Word("4001", 0.0, 1.0, None)])
    assert hide(odd).words == []
