"""Offline models from a folder or by name: known by their files, refused in one sentence, with their word times."""

from __future__ import annotations

import hashlib
import itertools
import shutil
import tarfile
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest

from state.types import Word
from tests.harness.calls.tiny_ctc import make_tiny_ctc
from tests.integration.engines.conftest import Speech
from tests.integration.engines.test_download import Mirror, mirror, refusal  # noqa: F401 (a fixture)
from workers.engines import moonshine
from workers.engines.base import ModelUnusable
from workers.engines.catalogues import sherpa_archive
from workers.engines.choose import Wanted, choose
from workers.engines.download import official_model
from workers.engines.families import recognise
from workers.engines.selfcheck import decode
from workers.engines.sherpa import SherpaModel, ready, words_of


def folder_of(at: Path, *files: str) -> Path:
    at.mkdir(parents=True)
    for file in files:
        name, _, content = file.partition("=")
        (at / name).write_bytes(content.encode() or b"network")
    return at


PUBLISHED = {
    "transducer": (
        "zipformer-en",
        ["encoder-epoch-99.onnx", "encoder-epoch-99.int8.onnx", "decoder-epoch-99.onnx", "joiner-epoch-99.onnx"],
    ),
    "NeMo transducer": ("parakeet-tdt", ["encoder.int8.onnx", "decoder.int8.onnx", "joiner.int8.onnx"]),
    "NeMo CTC": ("ctc", ["model.onnx=EncDecCTCModelBPE"]),
    "Zipformer CTC": ("zipformer", ["model.int8.onnx=zipformer2_ctc"]),
    "SenseVoice": ("sense", ["model.onnx=sense_voice_ctc"]),
    "Whisper": ("whisper", ["tiny.en-encoder.onnx", "tiny.en-decoder.int8.onnx", "tiny.en-tokens.txt"]),
    "Moonshine": (
        "moon",
        ["preprocess.onnx", "encode.int8.onnx", "uncached_decode.int8.onnx", "cached_decode.int8.onnx"],
    ),
}


@pytest.mark.parametrize("family", PUBLISHED)
def test_a_family_is_known_by_its_files(tmp_path: Path, family: str) -> None:
    name, files = PUBLISHED[family]
    tokens = [] if family == "Whisper" else ["tokens.txt"]
    found = recognise(folder_of(tmp_path / name, *files, *tokens))
    assert found.name == family
    assert all(path.is_file() for path in found.files.values())


def test_the_8_bit_form_is_taken_where_there_are_two(tmp_path: Path) -> None:
    name, files = PUBLISHED["transducer"]
    found = recognise(folder_of(tmp_path / name, *files, "tokens.txt"))
    assert found.files["encoder"].name == "encoder-epoch-99.int8.onnx"


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ([], "holds no known offline model"),
        (["model.onnx=something", "tokens.txt"], "holds no known offline model"),
        (["encoder.onnx", "decoder.onnx", "tokens.txt"], "holds no known offline model"),
        (["encoder.onnx", "decoder.onnx", "joiner.onnx"], "has no tokens.txt"),
        (["model.onnx=", "tokens.txt"], "holds no known offline model"),
    ],
)
def test_what_is_no_model_is_told_in_one_sentence(tmp_path: Path, files: list[str], complaint: str) -> None:
    with pytest.raises(ModelUnusable, match=complaint) as refused:
        choose(Wanted(sherpa_model=str(folder_of(tmp_path / "odd", *files))), tmp_path / "cache")
    assert "\n" not in str(refused.value)


def test_a_damaged_network_is_refused_and_does_not_end_the_process(tmp_path: Path) -> None:
    """The library ends the process that loads such a model, so a process of its own tries it."""
    folder = make_tiny_ctc(tmp_path / "tiny")
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[: len(whole) // 2] + b"EncDec")
    with pytest.raises(ModelUnusable, match="cannot be loaded"):
        ready(folder, tmp_path / "cache")


def test_a_folder_is_tried_once_and_again_when_its_content_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []
    monkeypatch.setattr("workers.engines.sherpa._try", tried.append)
    folder = make_tiny_ctc(tmp_path / "tiny")
    first = ready(folder, tmp_path / "cache")
    assert ready(folder, tmp_path / "cache") == first
    assert len(tried) == 1
    make_tiny_ctc(folder, seed=8)
    assert ready(folder, tmp_path / "cache").digest != first.digest
    assert len(tried) == 2


def test_another_content_is_another_identity(tmp_path: Path) -> None:
    models = [SherpaModel(ready(make_tiny_ctc(tmp_path / f"tiny-{seed}", seed), tmp_path / "cache")) for seed in (7, 8)]
    assert models[0].identity != models[1].identity
    again = SherpaModel(ready(make_tiny_ctc(tmp_path / "elsewhere"), tmp_path / "cache"))
    assert again.identity == models[0].identity


def test_words_have_the_models_own_times(tmp_path: Path, angry: Speech) -> None:
    model = SherpaModel(ready(make_tiny_ctc(tmp_path / "tiny"), tmp_path / "cache"))
    finals = decode(model, angry.pcm, angry.rate, angry.rate, lambda _number: False).finals
    words = [word for final in finals for word in final.words]
    lengths = {round(word.end - word.start, 3) for word in words}
    letters = {round((word.end - word.start) / len(word.word), 3) for word in words}
    assert len(words) > 20
    assert len(letters) > len(lengths) / 2, "times are not spread by letters"
    assert any(later.start - word.end > 0.3 for word, later in itertools.pairwise(words)), "pauses are seen"


def test_the_wheels_folder_gives_the_same_text_as_the_offline_engine(tmp_path: Path, angry: Speech) -> None:
    folder = Path(shutil.copytree(moonshine._weights_folder(), tmp_path / "tiny-en"))
    chosen = choose(Wanted(sherpa_model=str(folder)), tmp_path / "cache").load()
    assert chosen.display_name == "tiny-en (Moonshine, offline)"
    piece = angry.pcm[: 2 * 6 * angry.rate]
    told = [
        decode(model, piece, angry.rate, angry.rate, lambda _number: False).finals
        for model in (chosen, moonshine.MoonshineModel())
    ]
    assert told[0] == told[1]


# -- words from tokens ----------------------------------------------------------------------------------------


def result(tokens: list[str], timestamps: list[float], **more: list[float]) -> SimpleNamespace:
    return SimpleNamespace(tokens=tokens, timestamps=timestamps, **{"durations": [], "ys_log_probs": [], **more})


def test_tokens_become_words_with_confidences() -> None:
    told = result([" he", "llo", " you"], [0.1, 0.3, 0.4], ys_log_probs=[-0.1, -0.3, -5.0])
    assert words_of("hello you", told) == [Word("hello", 0.1, 0.4, 0.819), Word("you", 0.4, 0.64, 0.007)]


def test_durations_are_believed() -> None:
    assert words_of("so", result([" so"], [1.0], durations=[0.16])) == [Word("so", 1.0, 1.16, None)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Hello, you", result([" hello", " you"], [0.1, 0.2])),
        ("hello", result([" hello"], [])),
        ("", result([], [])),
    ],
)
def test_tokens_that_are_not_the_text_give_no_times(text: str, told: SimpleNamespace) -> None:
    assert words_of(text, told) == []


# -- by name --------------------------------------------------------------------------------------------------


def offered(server: Mirror, name: str, model: Path, checksum: str | None = None) -> None:
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w:bz2") as contents:
        contents.add(model, arcname=name)
    server.files[f"/models/{name}.tar.bz2"] = archive.getvalue()
    checksum = checksum or hashlib.sha256(archive.getvalue()).hexdigest()
    server.files["/models/checksum.txt"] = f"{name}.tar.bz2\t{checksum}\nother.zip\t00\n".encode()


def test_a_released_model_is_downloaded_once_and_used(mirror: Mirror, tmp_path: Path) -> None:  # noqa: F811
    offered(mirror, "sherpa-onnx-tiny", make_tiny_ctc(tmp_path / "made"))
    wanted = Wanted(sherpa_model="sherpa-onnx-tiny", sherpa_model_url=mirror.url)
    assert choose(wanted, tmp_path / "cache").load().display_name == "sherpa-onnx-tiny (NeMo CTC, offline)"
    choose(wanted, tmp_path / "cache")
    assert mirror.asked == ["/models/checksum.txt", "/models/sherpa-onnx-tiny.tar.bz2"]


def test_a_released_model_is_refused_for_each_reason(mirror: Mirror, tmp_path: Path) -> None:  # noqa: F811
    def fetch(name: str = "sherpa-onnx-tiny") -> object:
        return official_model(name, lambda wanted: sherpa_archive(wanted, mirror.url), tmp_path / "cache")

    assert "answered 404" in refusal(fetch)
    mirror.files["/models/checksum.txt"] = b"<html>"
    assert "not a list of checksums" in refusal(fetch)
    offered(mirror, "sherpa-onnx-tiny", make_tiny_ctc(tmp_path / "made"), checksum="0" * 64)
    assert "checksum" in refusal(fetch)
    assert "Did you mean sherpa-onnx-tiny?" in refusal(lambda: fetch("sherpa-onnx-tinny"))
    evil = BytesIO()
    with tarfile.open(fileobj=evil, mode="w:bz2") as contents:
        contents.addfile(tarfile.TarInfo("../outside"), BytesIO())
    mirror.files["/models/sherpa-onnx-tiny.tar.bz2"] = evil.getvalue()
    mirror.files["/models/checksum.txt"] = (
        f"sherpa-onnx-tiny.tar.bz2\t{hashlib.sha256(evil.getvalue()).hexdigest()}".encode()
    )
    assert "unsafe" in refusal(fetch)
    assert not (tmp_path / "outside").exists()


def test_two_models_are_one_too_many() -> None:
    with pytest.raises(ModelUnusable, match="both set"):
        choose(Wanted(vosk_model="a", sherpa_model="b"))
