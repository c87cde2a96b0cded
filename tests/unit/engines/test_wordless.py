"""Seconds of voice without words add up until words come again."""

from __future__ import annotations

from state.g711 import decode_mulaw
from workers.engines.offline import OfflineModel, OfflineRecogniser, Transcript
from workers.engines.selfcheck import SAMPLE, SAMPLE_RATE


class MuteModel(OfflineModel):
    identity = display_name = "mute"
    text = ""

    def transcribe(self, samples: object) -> Transcript:
        return Transcript(self.text)


def say(recogniser: OfflineRecogniser, at: int) -> int:
    """Let it hear the sample speech and end the utterance. Returns the index of the next sample."""
    pcm = decode_mulaw(SAMPLE.read_bytes())
    recogniser.accept(pcm, at)
    recogniser.flush()
    return at + len(pcm) // 2


def test_voice_without_words_adds_up_until_words_come() -> None:
    model = MuteModel()
    recogniser = model.recogniser(SAMPLE_RATE, None)
    at = say(recogniser, 0)
    once = recogniser.wordless_seconds
    assert once > 1
    at = say(recogniser, at)
    assert recogniser.wordless_seconds > 1.5 * once
    model.text = "at last"
    say(recogniser, at)
    assert recogniser.wordless_seconds == 0
