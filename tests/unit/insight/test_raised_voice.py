"""A raised voice makes displeased words count for more. Alone it changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from scripts.evaluation import speech, written
from scripts.evaluation.lines import RATE, pcm
from scripts.simulator.recording import DEMO, read_tracks
from state.g711 import to_pcm
from state.types import Standing, Voice
from tests.harness.calls.spoken import ANGRY, CALM, MODEL, call
from workers.insight.attention import Course
from workers.insight.words.spoken import Spoken
from workers.voice.calm import Calm, hear, judge
from workers.voice.measure import measure

QUIET = Voice(-8.0, 3.0, 4.0, -20.0, 2.5, 0.2)
LOUD = Voice(0.0, 11.0, 4.0, -14.0, 3.0, 0.1)

SMALL_TALK = call(
    ("c", "good morning i would like to change the address on my account"),
    ("a", "of course what is the new address"),
    ("c", "it is twenty seven mill lane in the old town"),
    ("a", "thank you and from which day on"),
    ("c", "from the first of next month on please"),
    ("a", "let me put that in for you"),
    ("c", "my daughter is moving to the same street in the spring"),
    ("a", "how nice to have her so near"),
    ("c", "and the telephone number stays the one that you have"),
)


def voiced(said: list[Spoken], *loud: int) -> list[Spoken]:
    """The call with a voice for each turn of the customer. `loud`: which of them are raised, counted from 0."""
    turns = [n for n, one in enumerate(said) if one.track == "customer"]
    chosen = {turns[n] for n in loud}
    return [
        msgspec.structs.replace(one, voice=LOUD if n in chosen else QUIET) if n in turns else one
        for n, one in enumerate(said)
    ]


def standing(said: list[Spoken]) -> Standing:
    return MODEL.standing(said)


def test_a_raised_voice_alone_changes_no_attention() -> None:
    calm, loud = standing(voiced(SMALL_TALK)), standing(voiced(SMALL_TALK, 4))
    assert loud.attention == calm.attention
    assert not loud.raised
    assert loud.reasons == calm.reasons
    assert loud.loud == [SMALL_TALK[8].id]
    assert loud.loud_since == SMALL_TALK[8].start


def test_it_strengthens_displeased_words_and_is_told_with_its_time() -> None:
    said = [*SMALL_TALK, *(_later(ANGRY[:2], SMALL_TALK[-1].end + 1))]
    calm, loud = standing(voiced(said)), standing(voiced(said, 5))
    assert loud.attention > calm.attention
    minutes, seconds = divmod(int(said[-1].start), 60)
    told = [reason for reason in loud.reasons if reason.text == f"raised voice since {minutes}:{seconds:02d}"]
    assert [reason.utterances for reason in told] == [[said[-1].id]]
    assert not any("voice" in reason.text for reason in calm.reasons)


def test_with_glad_words_it_means_nothing() -> None:
    said = [*SMALL_TALK, *_later(call(("c", "oh that is wonderful thank you so much")), SMALL_TALK[-1].end + 1)]
    found = standing(voiced(said, 5))
    assert found.loud == []
    assert found.loud_since is None
    assert found.attention == standing(voiced(said)).attention


def test_it_is_over_with_the_next_calm_turn_but_remembered() -> None:
    found = standing(voiced(SMALL_TALK, 4) + _later(voiced(call(("c", "and that was all"))), SMALL_TALK[-1].end + 1))
    assert found.loud_since is None
    assert found.loud == [SMALL_TALK[8].id]


def test_without_voices_nothing_is_said_of_them() -> None:
    assert standing(CALM).loud == []
    assert standing(ANGRY).loud_since is None


@pytest.mark.parametrize("cut", range(1, len(SMALL_TALK)))
def test_a_call_followed_step_by_step_stands_as_when_read_at_once(cut: int) -> None:
    said = voiced([*SMALL_TALK, *_later(ANGRY, SMALL_TALK[-1].end + 1)], 3, 4, 5)
    _, course = MODEL.follow(Course(), said[:cut])
    assert course is not None
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(course), type=Course)
    followed, _ = MODEL.follow(kept, said[cut:])
    assert followed == standing(said)


@pytest.mark.parametrize("folder", sorted(DEMO.glob("call-*")), ids=lambda path: path.name)
@pytest.mark.parametrize("party", ["agent", "customer"])
def test_no_synthetic_voice_of_the_demo_calls_is_raised(folder: Path, party: str) -> None:
    """Nobody is angry in them. A raised voice found there would be a wrong measurement."""
    track = read_tracks(folder / f"{party}.wav", [party])[0]
    samples = np.frombuffer(to_pcm(track.encoding, track.audio), "<i2")
    turns = [turn for turn in json.loads((folder / "truth.json").read_text())["turns"] if turn["track"] == party]
    edges = [[round(turn[edge] * track.rate) for edge in ("start_s", "end_s")] for turn in turns]
    assert _judged([(turn["text"], samples[at:to]) for turn, (at, to) in zip(turns, edges, strict=True)]) > 3


@pytest.mark.parametrize("voice", speech.VOICES)
def test_no_synthetic_voice_of_written_calls_is_raised(voice: str) -> None:
    """This looks at a few calls. `scripts/evaluate --noisy` looks at all of them, recognised on a noisy line."""
    every = [one for name in written.FILES for one in written.load(name)]
    judged = 0
    for one in every[speech.VOICES.index(voice) * 24 :: 48]:
        said = [turn.text for turn in written.spoken(one) if turn.track == "customer"]
        judged += _judged([(text, pcm(speech.say(text, voice))) for text in said])
    assert judged > 6


def _judged(said: list[tuple[str, npt.NDArray[np.int16]]]) -> int:
    """How many of a party's turns (text, samples at 8 kHz) were judged. None of them may be raised."""
    calm, judged = Calm(), 0
    for text, samples in said:
        found = measure(samples, RATE, len(text.split()))
        if found is None:
            continue
        verdict = judge(calm, found)
        judged += verdict is not None
        assert verdict is None or not verdict.raised, text
        calm = hear(calm, found, len(samples) / RATE)
    return judged


def _later(said: list[Spoken], by: float) -> list[Spoken]:
    return [msgspec.structs.replace(one, id=f"{one.id}'", start=one.start + by, end=one.end + by) for one in said]
