"""The trained model: it comes from the stored dialogues, names the words behind a value, and reads any text."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.training import __main__ as trainer
from workers.insight.context import ContextScorer, Mood
from workers.insight.polarity import learned
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.polarity.learned import Learned, LearnedFile
from workers.insight.words.spoken import Spoken
from workers.insight.words.tokens import tokenise


def test_the_model_was_trained_on_the_dialogues_that_are_there() -> None:
    file = msgspec.json.decode(learned.FILE.read_bytes(), type=LearnedFile)
    assert file.dialogues == trainer.digest(), "run scripts/train"


def test_a_reading_is_the_sum_of_its_words_and_names_those_that_made_it() -> None:
    model = Learned(
        LearnedFile("", {"still": -0.4, "still no": -0.8, "thanks": 0.4, "< still": 0.0}, {"no trains": -0.6})
    )
    reading = model.customer(["still", "no", "thanks"])
    assert reading.value == pytest.approx((-0.4 - 0.8 + 0.4 + 0.0) / 2)
    assert reading.words == ("still no", "still")
    assert model.agent(["no", "trains"]) == pytest.approx(-0.6)
    assert model.customer(["nothing", "known"]) == (0.0, ())


def test_numbers_are_one_word_and_its_is_it_is() -> None:
    def grams(text: str) -> list[str]:
        return list(learned.grams(tokenise(text).forms))

    assert grams("flat twenty seven") == grams("flat 31")
    assert grams("its the second") == grams("it's the 2nd")


@pytest.mark.parametrize(
    ("let_down", "content"),
    [
        ("so that's another week with nothing then", "that's everything i needed thank you"),
        ("i don't think you're reading what i write", "oh that sounds right up my street"),
        ("nobody ever rang me back", "perfect i'll take it"),
    ],
)
def test_people_who_are_let_down_sound_so(let_down: str, content: str) -> None:
    model = learned.load()
    low, high = (model.customer(tokenise(text).forms).value for text in (let_down, content))
    assert low < -0.1 < 0.05 < high


def test_an_answer_that_seldom_pleases_weighs_on_the_next_words() -> None:
    scorer = ContextScorer(CallAnalyzer())

    def after(answer: str) -> float:
        _, mood = scorer.step(Mood(), Spoken("agent:0", "agent", 0.0, 1.0, answer))
        return scorer.step(mood, Spoken("customer:0", "customer", 1.0, 2.0, "right"))[0].polarity

    assert after("sorry what was the name again") < after("that is all booked for you")


@given(st.text())
def test_any_text_has_a_reading(text: str) -> None:
    forms = tokenise(text).forms
    model = learned.load()
    assert abs(model.customer(forms).value) < 10 and abs(model.agent(forms)) < 10


def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.txt").write_text("# t | d | overall 3\na hello\nc7 hi\n")
    monkeypatch.setattr(trainer, "DIALOGUES", tmp_path)
    with pytest.raises(ValueError, match=r"x\.txt line 3"):
        trainer.load()
