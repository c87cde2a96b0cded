"""What a call is about: its reason, what happened, what was promised and how it stands, each with a quote."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.evaluation import calls, pace
from scripts.simulator.recording import DEMO
from state.types import Point
from workers.insight.attention import AttentionModel, Course, Following
from workers.insight.gist import cues
from workers.insight.gist.quote import MOST_CHARACTERS, quote
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.words.spoken import Spoken

MOST_POINTS = 9


@pytest.fixture(scope="module")
def model() -> AttentionModel:
    return AttentionModel(CallAnalyzer())


def gist(model: AttentionModel, *turns: str) -> list[Point]:
    """The gist of these turns. Each turn begins with "c " (customer) or "a " (agent)."""
    return model.standing(pace.spoken((turn[0] == "c", turn[2:]) for turn in turns)).gist


def said(points: list[Point], part: str) -> list[str]:
    return [point.quote for point in points if point.part == part]


def demo(model: AttentionModel, name: str) -> list[Point]:
    truth = json.loads((DEMO / name / "truth.json").read_text())
    return model.standing(calls.spoken(truth)).gist


def test_a_call_that_goes_well_is_told_with_its_promises(model: AttentionModel) -> None:
    points = demo(model, "call-card-fraud")
    assert "stolen my card details" in said(points, "reason")[0]
    assert said(points, "promise") == [
        "you'll have the full amount back by thursday",
        "a new card will be with you in three days",
    ]
    assert "i'm blocking the card right now" in said(points, "happened")[-1]
    assert points[-1].text.startswith("settled") and points[-1].quote == "that's a huge relief thank you so much"


def test_a_call_that_goes_wrong_is_open_and_says_why(model: AttentionModel) -> None:
    points = demo(model, "call-late-parcel")
    assert said(points, "reason") == ["my parcel was supposed to come on monday and it's still not here"]
    assert "i can't issue a refund until the investigation is finished" in said(points, "happened")
    assert said(points, "promise") == []
    assert points[-1].text == "open: the customer asks for somebody in charge"
    assert "somebody in charge" in points[-1].quote


def test_each_line_rests_on_utterances_that_hold_its_words(model: AttentionModel) -> None:
    for folder in sorted(DEMO.glob("call-*")):
        truth = calls.spoken(json.loads((folder / "truth.json").read_text()))
        texts = {one.id: one.text for one in truth}
        for point in model.standing(truth).gist:
            held = " ".join(texts[name] for name in point.utterances)
            for word in point.quote.replace("—", "").replace("…", "").split():
                assert word in held, (folder.name, point)


@pytest.mark.parametrize(
    ("promise", "promised"),
    [
        ("i'll send you the form today", True),
        ("i will not send you anything", False),
        ("you'll have the money back by friday", True),
        ("you'll have to send it back", False),
        ("i'll just put you on hold", False),
        ("is there anything else i can do for you", False),
    ],
)
def test_what_is_a_promise(model: AttentionModel, promise: str, promised: bool) -> None:
    assert bool(said(gist(model, "c my card is lost", f"a {promise}"), "promise")) is promised


@pytest.mark.parametrize(("answer", "promised"), [("yes please", True), ("no that is no good to me", False)])
def test_an_offer_is_a_promise_once_it_is_taken(model: AttentionModel, answer: str, promised: bool) -> None:
    points = gist(model, "c my card is lost", "a i can send you a new one tomorrow", f"c {answer}")
    found = [point for point in points if point.part == "promise"]
    assert [len(point.utterances) for point in found] == ([2] if promised else [])


def test_a_yes_to_what_the_customer_asks_for_is_a_promise(model: AttentionModel) -> None:
    points = gist(model, "c my card is lost", "a oh dear", "c could you send a new one to my office", "a yes of course")
    assert said(points, "promise") == ["could you send a new one to my office — yes of course"]


def test_the_summary_is_the_same_however_the_call_is_followed(model: AttentionModel) -> None:
    truth = calls.spoken(json.loads((DEMO / "call-on-hold" / "truth.json").read_text()))
    following = Following(model)
    for end in range(1, len(truth) + 1):
        found = following.standing(truth[:end])
        assert (found.gist, found.about) == ((whole := model.standing(truth[:end])).gist, whole.about)


def test_it_stays_small_in_a_call_of_thousands_of_utterances(model: AttentionModel) -> None:
    turns = [
        "i'll send you form number {} by friday",
        "i want to speak to your manager about form {} this is the third time",
    ]
    course, most = Course(), 0
    for n in range(0, 3000, 1000):
        some = [
            Spoken(f"{track}:{k}", track, 2.0 * k, 2.0 * k + 1, turns[k % 2].format(k) + " word" * 20)
            for k in range(n, n + 1000)
            for track in ("customer" if k % 2 else "agent",)
        ]
        standing, after = model.follow(course, some)
        assert after is not None
        course = after
        most = max(most, len(msgspec.msgpack.encode(course.call.story)))
        assert len(standing.gist) <= MOST_POINTS
        assert all(len(point.quote) <= MOST_CHARACTERS for point in standing.gist)
    assert most < 4000


@given(st.lists(st.tuples(st.booleans(), st.text(max_size=300)), max_size=8))
def test_any_words_can_be_told(model: AttentionModel, turns: list[tuple[bool, str]]) -> None:
    points = model.standing(pace.spoken(turns)).gist
    assert len(points) <= MOST_POINTS and all(len(point.quote) <= MOST_CHARACTERS for point in points)


@pytest.mark.parametrize(
    ("text", "cue", "told"),
    [
        ("hi there yeah um i i need a new card", "need", "i need a new card"),
        ("Hello. I've lost it, uh, again. Please help.", "lost", "I've lost it again"),
        ("hello ryan this is the fourth time", "fourth", "this is the fourth time"),
        ("yes please", "please", "yes please"),
        ("", "", ""),
    ],
)
def test_a_quote_is_a_sentence_without_stumbles(text: str, cue: str, told: str) -> None:
    at = next((n for n, word in enumerate(text.split()) if word.startswith(cue)), 0)
    assert quote(text, at, at) == told


def test_a_long_sentence_is_cut_around_what_matters() -> None:
    told = quote("word " * 100 + "i will send the form " + "word " * 100, 101, 103)
    assert told.startswith("…") and told.endswith("…") and "i will send the form" in told
    assert len(told) <= MOST_CHARACTERS


def test_every_label_is_of_something_that_can_be_heard() -> None:
    from workers.insight.polarity import phrases

    known = {group.kind for group in (*phrases.load().customer, *phrases.load().agent)}
    known |= {group.cue for group in (*cues.load().customer, *cues.load().agent)}
    assert set(cues.load().labels) <= known
