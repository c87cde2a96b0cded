"""`--voice DIR`: how well Earshot tells a raised voice from a calm one, on acted speech.

Files are named CLASS-SPEAKER...wav. The class is angry, happy, neutral or sad; the speaker has two digits. Each
utterance is judged against the mean of the same speaker's other neutral utterances.
"""

from __future__ import annotations

import re
import wave
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import soxr

from scripts.evaluation.lines import CONDITIONS, RATE, Samples, band, level, pcm
from scripts.evaluation.speech import LEVEL
from scripts.evaluation.stats import auc, shown, table
from state.types import Voice
from workers.voice.calm import compare
from workers.voice.measure import measure

PAIRS = (("angry", "neutral"), ("happy", "neutral"), ("angry", "happy"))

_NAME = re.compile(r"(angry|happy|neutral|sad)-(\d\d)")


class Acted(msgspec.Struct, frozen=True):
    """One file. samples: at 8 kHz, telephone band."""

    mood: str
    speaker: str
    samples: Samples


class Degrees(msgspec.Struct):
    """Degrees above calm that were found for the utterances of a mood and speaker."""

    mood: str
    speaker: str
    degree: float
    raised: bool


def load(folder: Path) -> list[Acted]:
    """All WAV files of the folder. Raises ValueError if none has such a name or one cannot be read."""
    found = []
    for path in sorted(folder.glob("*.wav")):
        named = _NAME.match(path.name)
        if named:
            found.append(Acted(named[1], named[2], _read(path)))
    if not found:
        raise ValueError(f"{folder}: no file is named CLASS-SPEAKER...wav (class angry, happy, neutral or sad)")
    return found


def judge(acted: list[Acted], through: Callable[[Samples], Samples]) -> list[Degrees]:
    """Judge each utterance against its speaker's other neutral ones, after `through` sent all over a line."""
    voices = [measure(pcm(through(one.samples)), RATE, words=0) for one in acted]
    judged = []
    for n, (one, voice) in enumerate(zip(acted, voices, strict=True)):
        calm = [
            other
            for m, (speaker, other) in enumerate(zip(acted, voices, strict=True))
            if m != n and other and (speaker.speaker, speaker.mood) == (one.speaker, "neutral")
        ]
        if voice is None or not calm:
            judged.append(Degrees(one.mood, one.speaker, 0.0, False))
            continue
        found = compare(voice, *_mean(calm))
        judged.append(Degrees(one.mood, one.speaker, found.degree, found.raised))
    return judged


def figures(acted: list[Acted]) -> dict[str, float | None]:
    """The figures of --json: AUC of each pair of moods, over all speakers, on a clean line."""
    judged = judge(acted, CONDITIONS["clean"])
    return {f"{a}_{b}_auc": _auc(judged, a, b) for a, b in PAIRS}


def report(acted: list[Acted]) -> str:
    """A table of AUCs by condition, and another by speaker."""
    by_line = []
    for name, through in CONDITIONS.items():
        judged = judge(acted, through)
        cells = [shown(_auc(judged, a, b)) for a, b in PAIRS]
        by_line.append([name, *cells, *(_share(judged, mood) for mood in ("angry", "happy", "neutral"))])
    clean = judge(acted, CONDITIONS["clean"])
    speakers = sorted({one.speaker for one in acted})
    by_speaker = [
        [f"speaker {speaker}", *(shown(_auc([d for d in clean if d.speaker == speaker], a, b)) for a, b in PAIRS)]
        for speaker in speakers
    ]
    pairs = [f"{a}/{b}" for a, b in PAIRS]
    lines = [
        f"Voices: AUC of the degree above calm speech, {len(acted)} acted utterances of {len(speakers)} speakers",
        table(["line", *pairs, "angry raised", "happy raised", "neutral raised"], by_line),
        "",
        table(["clean", *pairs], by_speaker),
    ]
    return "\n".join(lines)


def _auc(judged: list[Degrees], high: str, low: str) -> float | None:
    return auc([d.degree for d in judged if d.mood == high], [d.degree for d in judged if d.mood == low])


def _share(judged: list[Degrees], mood: str) -> str:
    found = [one.raised for one in judged if one.mood == mood]
    return f"{100 * np.mean(found):.0f} %" if found else "-"


def _mean(calm: list[Voice]) -> tuple[float, float | None]:
    pitches = [one.pitch_semitones for one in calm if one.pitch_semitones is not None]
    return float(np.mean([one.effort_db for one in calm])), float(np.mean(pitches)) if pitches else None


def _read(path: Path) -> Samples:
    try:
        with wave.open(str(path)) as file:
            if file.getnchannels() != 1 or file.getsampwidth() != 2:
                raise ValueError(f"{path}: one channel of 16 bit samples is wanted")
            rate = file.getframerate()
            data = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64) / 32768
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path}: {error}") from None
    samples = band(soxr.resample(data, rate, RATE))
    return samples * (LEVEL / max(level(samples), 1e-9))
