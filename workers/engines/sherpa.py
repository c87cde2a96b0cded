"""Any offline model that sherpa-onnx runs, from a folder: whole utterances at a time, as offline.py cuts them.

sherpa-onnx ends the process when a network is damaged. So we load a folder once in a separate process before we trust
it, and remember the result by the files' content.
"""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import sherpa_onnx

from state.types import Word
from workers.engines.base import ModelUnusable
from workers.engines.cache import locked
from workers.engines.families import Family, recognise
from workers.engines.offline import MODEL_RATE, OfflineModel, Transcript, common_identity
from workers.engines.tokens import token_file

TRIAL_SECONDS = 300
"""At most so many seconds to load a model once (a gigabyte from a slow disk)."""

LAST_TOKEN_SECONDS = 0.24
"""Seconds of a word's last token where the next word begins later and the model does not tell its length."""


class Ready(msgspec.Struct, frozen=True):
    """A model that was loaded before: its folder, its family and the SHA-256 of its files."""

    folder: Path
    family: Family
    digest: str


def ready(folder: Path, cache: Path) -> Ready:
    """Recognise the model in `folder`, and load it once in a separate process if this content is new.

    Raises:
        ModelUnusable: no such folder, an unknown family, files that cannot be read or loaded.
    """
    family = recognise(folder.resolve())
    try:
        digest = _digest(family)
    except OSError as error:
        raise ModelUnusable(f"The model in {folder} cannot be read: {error.strerror}.") from None
    with locked(cache):
        loaded = cache / "loaded"
        if not (loaded / digest).exists():
            _try(folder)
            loaded.mkdir(exist_ok=True)
            (loaded / digest).touch()
    return Ready(folder.resolve(), family, digest)


class SherpaModel(OfflineModel):
    """A model out of a folder, loaded."""

    def __init__(self, found: Ready) -> None:
        super().__init__()
        self.timed = found.family.timed
        self.display_name = f"{found.folder.name} ({found.family.name}, offline)"
        parts = [found.digest, *common_identity()]
        self.identity = f"sherpa:{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:16]}"
        self._recognizer = _load(found.family)

    def transcribe(self, samples: npt.NDArray[np.float32]) -> Transcript:
        """See OfflineModel.transcribe."""
        stream = self._recognizer.create_stream()
        stream.accept_waveform(MODEL_RATE, samples)
        self._recognizer.decode_stream(stream)
        text = " ".join(stream.result.text.split())
        return Transcript(text, words_of(text, stream.result) if self.timed else [])


def words_of(text: str, result: Any) -> list[Word]:
    """The words of `text` with times and, where the model tells probabilities, confidences.

    result: has tokens, timestamps (seconds), and durations and ys_log_probs, which may be empty.
    Returns [] if the tokens don't add up to the text.
    """
    tokens, starts = list(result.tokens), list(result.timestamps)
    durations, logs = list(result.durations), list(result.ys_log_probs)
    if len(tokens) != len(starts):
        return []
    spans: list[tuple[int, int]] = []  # first and last token of each word
    for n, token in enumerate(tokens):
        if not spans or token.startswith((" ", "▁")):
            spans.append((n, n))
        else:
            spans[-1] = (spans[-1][0], n)
    spoken = ["".join(tokens[first : last + 1]).replace("▁", " ").strip() for first, last in spans]
    if spoken != text.split():
        return []
    words = []
    for n, (first, last) in enumerate(spans):
        lasts = durations[last] if len(durations) == len(tokens) else LAST_TOKEN_SECONDS
        following = starts[spans[n + 1][0]] if n + 1 < len(spans) else math.inf
        end = max(starts[first], min(starts[last] + lasts, following))
        mean = sum(logs[first : last + 1]) / (last + 1 - first) if len(logs) == len(tokens) else None
        words.append(Word(spoken[n], starts[first], end, None if mean is None else round(min(1.0, math.exp(mean)), 3)))
    return words


def _load(family: Family) -> Any:
    make = getattr(sherpa_onnx.OfflineRecognizer, family.maker)
    with token_file(family.files["tokens"]) as tokens:
        files = {name: str(path) for name, path in family.files.items()} | {"tokens": str(tokens)}
        return make(**files, **family.options, num_threads=1)


def _digest(family: Family) -> str:
    overall = hashlib.sha256(f"{family.maker}\n{sorted(family.options.items())}\n".encode())
    for name, path in sorted(family.files.items()):
        with path.open("rb") as file:
            overall.update(f"{name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return overall.hexdigest()


def _try(folder: Path) -> None:
    """Load the model in a separate process. Raises ModelUnusable if that does not end well."""
    program = [sys.executable, "-m", "workers.engines.sherpa", str(folder)]
    root = Path(__file__).resolve().parents[2]
    try:
        done = subprocess.run(program, cwd=root, check=False, capture_output=True, timeout=TRIAL_SECONDS)
    except subprocess.TimeoutExpired:
        raise ModelUnusable(f"The model in {folder} did not load in {TRIAL_SECONDS} s.") from None
    if done.returncode:
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        reason = f": {said[-1].strip()[:200]}" if said else ""
        raise ModelUnusable(f"The model in {folder} cannot be loaded{reason}")


if __name__ == "__main__":
    model = _load(recognise(Path(sys.argv[1])))
    silence = model.create_stream()
    silence.accept_waveform(MODEL_RATE, np.zeros(MODEL_RATE, np.float32))
    model.decode_stream(silence)
