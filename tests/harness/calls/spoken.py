"""An angry call and a calm one, as people said them, and the model that judges them."""

from __future__ import annotations

from workers.insight.attention import AttentionModel
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.words.spoken import Spoken

ANALYZER = CallAnalyzer()
MODEL = AttentionModel(ANALYZER)


def call(*turns: tuple[str, str], pause: float = 0.5) -> list[Spoken]:
    """Turns (c or a, text) one after the other, 2.5 words a second."""
    said: list[Spoken] = []
    at = 0.0
    for index, (who, text) in enumerate(turns):
        track = "customer" if who == "c" else "agent"
        end = at + max(1.0, len(text.split()) / 2.5)
        said.append(Spoken(f"{track}:{index}", track, round(at, 3), round(end, 3), text))
        at = end + pause
    return said


ANGRY = call(
    ("a", "thank you for calling how can i help"),
    ("c", "this is the fourth time i'm calling about the same fault"),
    ("a", "i'm sorry there is nothing we can do"),
    ("c", "are you serious i have been waiting for three weeks and nobody has called me back"),
    ("a", "you have to wait"),
    ("c", "that's ridiculous i want to speak to your manager right now"),
)
CALM = call(
    ("a", "good morning how can i help"),
    ("c", "hi i'd like to change my address please"),
    ("a", "of course what is the new address"),
    ("c", "twenty seven mill lane"),
    ("a", "all done for you"),
    ("c", "brilliant thank you"),
)
