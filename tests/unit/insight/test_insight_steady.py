"""A call's standing depends on its utterances alone, and does not flap."""

from __future__ import annotations

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.calls.spoken import ANALYZER, ANGRY, CALM, MODEL, call
from workers.insight.attention import Course
from workers.insight.ruled import RuledModel
from workers.insight.rules.rulefile import parse
from workers.insight.words.spoken import Spoken, canonical
from workers.sentiment.courses import Courses, pack, unpack


def test_the_order_of_arrival_does_not_matter() -> None:
    shuffled = list(ANGRY)
    random.Random(1).shuffle(shuffled)
    assert MODEL.standing(shuffled) == MODEL.standing(ANGRY)


texts = st.sampled_from([u.text for u in ANGRY + CALM] + ["no", "uh", "four one one one", "you are useless"])


RULES = parse("""
version: 1
rules:
- {id: "no", title: Says no, severity: medium, phrases: ["no"], cooldown_seconds: 5}
- id: sorry
  title: No apology
  severity: high
  phrases: ["not true", "serious"]
  and_not: {phrases: ["sorry"], within_seconds: 6}
- {id: useless, title: Insults, severity: info, times: 3, track: any, phrases: ["useless", "you"], cooldown_seconds: 0}
- id: hello
  title: No greeting
  severity: low
  and_not: {phrases: ["good morning", "thank you for calling"], within_seconds: 9}
""")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ac"), texts), max_size=60), st.randoms())
def test_a_standing_does_not_depend_on_what_was_kept_of_it(turns: list[tuple[str, str]], rng: random.Random) -> None:
    """Utterances overlap and come late. The course is packed and unpacked between any two of them."""
    said = [
        msgspec.structs.replace(u, start=max(0.0, u.start - rng.random() * 6), end=u.end + rng.random() * 6)
        for u in call(*turns)
    ]
    arrived: list[Spoken] = []
    model = RuledModel(ANALYZER, RULES)
    courses = Courses(Course())
    left_out: list[Spoken] = []
    for utterance in sorted(said, key=lambda u: (u.end + rng.random() * 3, u.id)):
        arrived = canonical([*arrived, utterance])
        if arrived[: len(left_out)] != left_out:
            left_out, courses = [], Courses(Course())
        rest = arrived[len(left_out) :]
        standing, courses = unpack(pack(courses)).follow(model, rest)
        assert msgspec.json.encode(standing) == msgspec.json.encode(model.standing(arrived))
        assert 0 <= standing.attention <= 1 and len(standing.curve) <= 30
        if rng.random() < 0.2:
            count = rng.randrange(len(rest) + 1)
            further = courses.leave_out(model, rest, count)
            if further is not None:
                courses, left_out = further, arrived[: len(left_out) + count]


def test_what_is_kept_of_a_call_does_not_grow_with_it() -> None:
    mine = parse(
        "version: 1\nrules:\n- {id: all, title: t, severity: high, track: any, phrases: [you], cooldown_seconds: 0}"
    )
    model = RuledModel(ANALYZER, mine)
    sizes = []
    course = Course()
    for n in range(20):
        said = [
            msgspec.structs.replace(u, id=f"{u.id}:{n}:{m}", start=u.start + at, end=u.end + at)
            for m in range(10)
            for u in ANGRY
            for at in [(n * 10 + m) * 60.0]
        ]
        _, after = model.follow(course, said)
        assert after is not None
        course = after
        sizes.append(len(pack(Courses(course))))
    assert max(sizes[10:]) < 1.2 * max(sizes[:10]), sizes


def test_a_raised_call_does_not_flap() -> None:
    """A polite answer between complaints does not lower the call. A customer who stays content for a while does."""
    turns = [(("c" if u.track == "customer" else "a"), u.text) for u in ANGRY]
    on = MODEL.standing(call(*turns, ("c", "okay thank you")))
    assert on.raised and on.raised_at == MODEL.standing(ANGRY).raised_at
    soothing = [
        ("a", "i have refunded it and i will sort it for you"),
        ("c", "oh great thank you so much that is a relief"),
    ]
    assert not MODEL.standing(call(*turns, *soothing * 5)).raised
