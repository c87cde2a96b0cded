"""Finds out from its files which kind of offline model a folder holds. These are the forms of sherpa-onnx's releases.

A folder has the networks (.onnx, often in a full and in an 8 bit form) and tokens.txt. Where several files fit, it
takes the 8 bit form, which costs less and makes about as many errors.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path

import msgspec

from workers.engines.base import ModelUnusable

KNOWN = "transducer, NeMo CTC or TDT, Zipformer CTC, Whisper, SenseVoice, Moonshine"


class Family(msgspec.Struct, frozen=True):
    """A model's kind and its files. maker: the method of sherpa_onnx.OfflineRecognizer; files: its arguments; options:
    further arguments. timed: it tells when each token was said."""

    name: str
    maker: str
    files: dict[str, Path]
    options: dict[str, str] = {}
    timed: bool = False


def recognise(folder: Path) -> Family:
    """The family of the model in `folder`. Raises ModelUnusable with one sentence if we know none like it."""
    if not folder.is_dir():
        raise ModelUnusable(f"There is no model folder at {folder}.")
    for look in (_moonshine, _whisper, _transducer, _one_network):
        found = look(folder)
        if found is not None:
            return found
    raise ModelUnusable(f"{folder} holds no known offline model ({KNOWN}). Look at its .onnx files and tokens.txt.")


def _moonshine(folder: Path) -> Family | None:
    merged = _networks(folder, encoder="encoder_model", decoder="decoder_model_merged")
    if None not in merged.values():
        return _family("Moonshine", "from_moonshine_v2", merged, folder)
    files = _networks(
        folder,
        preprocessor="preprocess",
        encoder="encode",
        uncached_decoder="uncached_decode",
        cached_decoder="cached_decode",
    )
    return _family("Moonshine", "from_moonshine", files, folder)


def _whisper(folder: Path) -> Family | None:
    def of(part: str) -> Path | None:  # tiny.en-encoder.int8.onnx
        return _network(folder, lambda name: name.removesuffix(".onnx").removesuffix(".int8").endswith(f"-{part}"))

    if _network(folder, lambda name: name.startswith("joiner")):
        return None
    return _family("Whisper", "from_whisper", {"encoder": of("encoder"), "decoder": of("decoder")}, folder)


def _transducer(folder: Path) -> Family | None:
    files = _networks(folder, encoder="encoder", decoder="decoder", joiner="joiner")
    encoder = files["encoder"]
    if encoder is None:
        return None
    nemo = _mentions(encoder, b"EncDec") or "nemo" in folder.name or "parakeet" in folder.name
    found = _family("NeMo transducer" if nemo else "transducer", "from_transducer", files, folder, timed=True)
    if found is not None and nemo:
        return msgspec.structs.replace(found, options={"model_type": "nemo_transducer"})
    return found


ONE_NETWORK = (
    (b"sense_voice", "SenseVoice", "from_sense_voice"),
    (b"zipformer2_ctc", "Zipformer CTC", "from_zipformer_ctc"),
    (b"zipformer_ctc", "Zipformer CTC", "from_zipformer_ctc"),
    (b"EncDec", "NeMo CTC", "from_nemo_ctc"),
)
"""For families with one file: the word in the network's own description, the family's name, the method."""


def _one_network(folder: Path) -> Family | None:
    model = _network(folder, lambda name: name.startswith(("model", "ctc")))
    if model is None:
        return None
    for word, name, maker in ONE_NETWORK:
        if _mentions(model, word) or word.decode().replace("_", "-") in folder.name:
            return _family(name, maker, {"model": model}, folder, timed=True)
    return None


def _family(name: str, maker: str, files: dict[str, Path | None], folder: Path, timed: bool = False) -> Family | None:
    """A family if all its networks are there. Raises ModelUnusable if it has no list of tokens."""
    found = {argument: path for argument, path in files.items() if path is not None}
    if len(found) < len(files):
        return None
    tokens = sorted(folder.glob("*tokens.txt"), key=lambda path: len(path.name)) or sorted(folder.glob("tokenizer.bin"))
    if not tokens:
        raise ModelUnusable(f"The model in {folder} has no tokens.txt.")
    return Family(name, maker, {**found, "tokens": tokens[0]}, timed=timed)


def _networks(folder: Path, **starts: str) -> dict[str, Path | None]:
    """For each argument the network whose name starts so."""
    return {
        argument: _network(folder, lambda name, start=start: name.startswith(start))  # type: ignore[misc]
        for argument, start in starts.items()
    }


def _network(folder: Path, fits: Callable[[str], bool]) -> Path | None:
    """The network whose name fits; the 8 bit form if there are two."""
    found = [path for suffix in ("*.onnx", "*.ort") for path in sorted(folder.glob(suffix)) if fits(path.name)]
    return min(found, key=lambda path: (".int8" not in path.name, path.name), default=None)


def _mentions(network: Path, word: bytes) -> bool:
    """Whether the file holds these bytes: it has the network's description as text."""
    if network.stat().st_size == 0:
        return False
    with network.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(word) >= 0
