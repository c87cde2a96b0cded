"""Prepared copies of Vosk models. The models here are small files in the right places. Nothing loads them."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workers.engines.base import ModelUnusable
from workers.engines.prepare import MANIFEST, prepare

FILES = {
    "am/final.mdl": "acoustic model",
    "conf/mfcc.conf": "--use-energy=false\n--dither=1.0\n--allow-upsample=false\n--num-ceps=40",
    "conf/model.conf": "--beam=10.0\n",
    "graph/HCLr.fst": "left half",
    "graph/Gr.fst": "right half",
    "graph/phones/word_boundary.int": "1 begin\n",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "vosk-model-test"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def files_of(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_copy_decodes_without_dither_and_takes_telephony(source: Path, cache: Path) -> None:
    prepared = prepare(source, cache)
    lines = (Path(prepared.folder) / "conf/mfcc.conf").read_text().splitlines()
    assert lines == [
        "--use-energy=false",
        "--num-ceps=40",
        "--dither=0",
        "--allow-upsample=true",
        "--allow-downsample=true",
    ]


def test_everything_else_is_copied_and_the_source_stays_as_it_was(source: Path, cache: Path) -> None:
    copied = files_of(Path(prepare(source, cache).folder))
    assert files_of(source) == FILES
    del copied[MANIFEST]
    assert {**copied, "conf/mfcc.conf": FILES["conf/mfcc.conf"]} == FILES


def test_preparing_again_leaves_the_copy_alone(source: Path, cache: Path) -> None:
    first = prepare(source, cache)
    before = (Path(first.folder) / MANIFEST).stat()
    assert prepare(source, cache) == first
    assert (Path(first.folder) / MANIFEST).stat().st_ino == before.st_ino


def test_the_identity_tells_content_not_place(source: Path, cache: Path, tmp_path: Path) -> None:
    first = prepare(source, cache)
    moved = Path(shutil.copytree(source, tmp_path / "elsewhere"))
    assert prepare(moved, cache).identity == first.identity
    (moved / "am/final.mdl").write_text("acoustic modeL")
    assert prepare(moved, cache).identity != first.identity


def test_a_model_that_says_the_same_in_other_words_is_the_same(source: Path, cache: Path) -> None:
    first = prepare(source, cache)
    (source / "conf/mfcc.conf").write_text("--use-energy=false\n--num-ceps=40\n")
    assert prepare(source, cache) == first


@pytest.mark.parametrize("damage", ["no manifest", "torn manifest", "file missing", "file cut off"])
def test_a_damaged_copy_is_made_again(source: Path, cache: Path, damage: str) -> None:
    folder = Path(prepare(source, cache).folder)
    whole = files_of(folder)
    if damage == "no manifest":
        (folder / MANIFEST).unlink()
    elif damage == "torn manifest":
        (folder / MANIFEST).write_text(whole[MANIFEST][:20])
    elif damage == "file missing":
        (folder / "am/final.mdl").unlink()
    else:
        (folder / "graph/Gr.fst").write_text("")
    assert Path(prepare(source, cache).folder) == folder
    assert files_of(folder) == whole
    assert [path.name for path in cache.iterdir() if path.name == ".scratch"] == []


def test_many_may_prepare_at_once(source: Path, cache: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: prepare(source, cache), range(16)))
    assert len(set(map(str, results))) == 1
    assert sorted(path.name for path in cache.iterdir()) == [".lock", Path(results[0].folder).name]


def test_the_older_layout_is_understood(cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "vosk-model-old"
    folder.mkdir()
    for name in ("final.mdl", "HCLG.fst", "word_boundary.int"):
        (folder / name).write_text(name)
    (folder / "mfcc.conf").write_text("--dither=1\n")
    prepared = Path(prepare(folder, cache).folder)
    assert (prepared / "mfcc.conf").read_text().startswith("--dither=0\n")


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [
        ("am/final.mdl", r"incomplete: am/final\.mdl missing"),
        ("graph/Gr.fst", r"incomplete: graph \(HCLG"),
        ("conf/mfcc.conf", r"not a Vosk model"),
    ],
)
def test_an_incomplete_model_is_refused_in_one_sentence(
    source: Path, cache: Path, missing: str, complaint: str
) -> None:
    (source / missing).unlink()
    with pytest.raises(ModelUnusable, match=complaint):
        prepare(source, cache)
    assert not cache.exists()


def test_a_folder_that_is_not_there_is_refused(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="no Vosk model folder"):
        prepare(tmp_path / "nothing", cache)


def test_a_cache_that_cannot_be_written_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelUnusable, match="cannot be written"):
        prepare(source, tmp_path / "file" / "cache")


def test_an_unreadable_model_is_refused(source: Path, cache: Path) -> None:
    """Its file is a process's memory: a read at its start fails for every user, as on a broken disk."""
    (source / "am/final.mdl").unlink()
    (source / "am/final.mdl").symlink_to("/proc/self/mem")
    with pytest.raises(ModelUnusable, match="Input/output error"):
        prepare(source, cache)
