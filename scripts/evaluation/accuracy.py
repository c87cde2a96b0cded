"""The engine on worse lines than the demo's: word errors by condition, and words that it invents without speech.

Each party of each demo call, and of some written ones, goes through the condition and then through the engine, in
simulated time and on all cores.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec
from tqdm import tqdm

from scripts.evaluation import lines, noises, written
from scripts.evaluation.decoding import hear, read_samples
from scripts.evaluation.speech import on_the_line, speak
from scripts.evaluation.stats import table
from scripts.evaluation.wer import errors
from scripts.simulator.recording import PARTIES
from workers.engines.base import Model
from workers.engines.choose import Wanted, choose

CONDITIONS: dict[str, Callable[[lines.Samples], lines.Samples]] = {
    "as recorded": lambda samples: samples,
    "noise at 20 dB": lines.noise(20),
    "noise at 10 dB": lines.noise(10),
    "noise at 5 dB": lines.noise(5),
    "others talking at 20 dB": noises.others_talking(20),
    "others talking at 10 dB": noises.others_talking(10),
    "GSM full rate": lines.gsm,
    "Opus at 12 kbit/s": lines.opus(12),
    "Opus at 6 kbit/s": lines.opus(6),
    "peaks clipped by 12 dB": lines.clipped(12),
    "peaks clipped by 20 dB": lines.clipped(20),
    "12 dB softer": lines.gain(-12),
    "2 % of packets lost": lines.loss(0.02),
    "5 % of packets lost": lines.loss(0.05),
    "10 % of packets lost": lines.loss(0.10),
    "GSM, noise at 20 dB, 2 % lost": lambda samples: lines.loss(0.02)(lines.gsm(lines.noise(20)(samples))),
}
if shutil.which("sox"):
    CONDITIONS["AMR at 12.2 kbit/s"] = lines.amr(7)
    CONDITIONS["AMR at 4.75 kbit/s"] = lines.amr(0)
    CONDITIONS["spoken 1.25 times faster"] = lines.faster(1.25)
    CONDITIONS["spoken 1.5 times faster"] = lines.faster(1.5)

NOISE_SECONDS = 600
"""Seconds of each kind of sound without speech. An invented word in them counts as six an hour."""


WRITTEN_EVERY = 8
"""Step between measured written calls, of those that nobody read while tuning: four calls, four minutes."""

WRITTEN_SNR_DB = 30.0
"""Decibels from the synthesiser's speech down to the line's hiss: about as far as in the demo calls."""


class Heard(msgspec.Struct, frozen=True):
    """One condition. words: in the reference; wrong: word errors; cpu_seconds, audio_seconds: of the engine."""

    condition: str
    words: int
    wrong: int
    cpu_seconds: float
    audio_seconds: float


class Invented(msgspec.Struct, frozen=True):
    """One kind of sound without speech. text: the first words that the engine made of it."""

    sound: str
    words: int
    words_an_hour: float
    text: str


class Measured(msgspec.Struct, frozen=True):
    """One engine's results for all conditions and sounds."""

    engine: str
    demo: list[Heard]
    written: list[Heard]
    invented: list[Invented]


def measure(folder: Path, wanted: Wanted) -> Measured:
    """Send all conditions and sounds through the wanted engine. Raises ModelUnusable, OSError or ValueError."""
    engine = choose(wanted).load().display_name
    demo = sorted(path.parent for path in folder.glob("*/truth.json"))
    spoken = range(0, len(_apart()), WRITTEN_EVERY) if shutil.which("flite") else ()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), _load, (wanted,)) as pool:
        on_demo, on_written = _lines(pool, "demo", demo), _lines(pool, "written", spoken)
        made = list(tqdm(pool.map(_invent, noises.SOUNDS), "evaluate: sounds without speech", len(noises.SOUNDS)))
    return Measured(engine, on_demo, on_written, made)


def _lines(pool: Executor, name: str, calls: Sequence[Path | int]) -> list[Heard]:
    """Results of these calls on all lines, summed up by line."""
    tasks = [(call, condition) for condition in CONDITIONS for call in calls]
    by_condition: dict[str, list[Heard]] = {condition: [] for condition in CONDITIONS}
    for heard in tqdm(pool.map(_hear, tasks), f"evaluate: {name} calls on worse lines", len(tasks)):
        by_condition[heard.condition].append(heard)
    return [_sum(some) for some in by_condition.values() if some]


def report(measured: Measured) -> str:
    """Tables of the demo calls, the written ones and the sounds."""
    heads = ["demo calls, on this line", "written calls, spoken by flite"]
    heard = [
        table(
            [head, "word errors", "of words", "CPU s/s"],
            [[one.condition, f"{_percent(one):.1f} %", str(one.words), f"{_cost(one):.4f}"] for one in some],
        )
        for head, some in zip(heads, (measured.demo, measured.written), strict=True)
        if some
    ]
    sounds = [[one.sound, f"{one.words_an_hour:.0f}", one.text] for one in measured.invented]
    return "\n".join(
        (
            f"Recognised by {measured.engine}",
            "\n\n".join(heard),
            *(() if shutil.which("sox") else ("AMR and faster speech were not measured: install sox.",)),
            *(() if measured.written else ("Written calls were not measured: install flite.",)),
            "",
            table([f"no speech, {NOISE_SECONDS // 60} minutes each", "words an hour", "for instance"], sounds),
        )
    )


def figures(measured: Measured) -> dict[str, dict[str, float]]:
    """The figures of --json: word error rates by condition, invented words an hour by sound."""
    return {
        "word_error_rate": {one.condition: one.wrong / one.words for one in measured.demo},
        "word_error_rate_written": {one.condition: one.wrong / one.words for one in measured.written},
        "invented_words_an_hour": {one.sound: one.words_an_hour for one in measured.invented},
    }


_model: list[Model] = []
"""The pool process's engine, loaded once."""


def _load(wanted: Wanted) -> None:
    _model.append(choose(wanted).load())


def _hear(task: tuple[Path | int, str]) -> Heard:
    call, condition = task
    words = wrong = 0
    cpu = audio = 0.0
    for clean, said in _parties(call):
        samples = CONDITIONS[condition](clean)
        finals, spent = hear(_model[0], lines.pcm(samples))
        missed, of = errors(said, " ".join(final.text for final in finals))
        wrong, words, cpu, audio = wrong + missed, words + of, cpu + spent, audio + len(samples) / lines.RATE
    return Heard(condition, words, wrong, cpu, audio)


def _parties(call: Path | int) -> Iterator[tuple[lines.Samples, str]]:
    """The sound and the words of each party of a recorded call (its folder) or a written one (its number)."""
    if isinstance(call, Path):
        turns = json.loads((call / "truth.json").read_text(encoding="utf-8"))["turns"]
        for party in PARTIES:
            yield read_samples(call, party), " ".join(turn["text"] for turn in turns if turn["track"] == party)
    else:
        spoken = speak(written.spoken(_apart()[call]), call)
        for party in spoken.tracks:
            said = " ".join(one.text for one in spoken.said if one.track == party)
            yield on_the_line(spoken, party, WRITTEN_SNR_DB), said


def _apart() -> list[written.Written]:
    return written.by_set()["written-apart"]


def _invent(sound: str) -> Invented:
    samples = noises.SOUNDS[sound](NOISE_SECONDS)
    finals, _ = hear(_model[0], lines.pcm(samples))
    text = " ".join(final.text for final in finals)
    count = len(text.split())
    return Invented(sound, count, count * 3600 / NOISE_SECONDS, text[:60])


def _sum(some: list[Heard]) -> Heard:
    return Heard(
        some[0].condition,
        sum(one.words for one in some),
        sum(one.wrong for one in some),
        sum(one.cpu_seconds for one in some),
        sum(one.audio_seconds for one in some),
    )


def _percent(one: Heard) -> float:
    return 100 * one.wrong / one.words


def _cost(one: Heard) -> float:
    return one.cpu_seconds / one.audio_seconds
