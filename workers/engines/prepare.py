"""Makes a Vosk model fit for the fleet: a copy of its folder that decodes the same audio in the same way every time.

The copy is in the cache under the model's name and a hash of its content. Earshot builds it elsewhere and renames it,
so it is complete as soon as anybody sees it. Nothing changes it afterwards, and nothing changes the source folder."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import msgspec

from workers.engines.base import ModelUnusable
from workers.engines.cache import locked

OPTIONS = {
    "--dither": "0",  # noise added to the features: with it no two decodings are alike
    "--allow-upsample": "true",  # telephony's 8 kHz with a 16 kHz model
    "--allow-downsample": "true",  # rates above the model's
}
"""Options to set in the feature extraction's configuration, whatever it says."""

LAYOUTS = (
    ("conf/mfcc.conf", ("am/final.mdl", "conf/mfcc.conf", "conf/model.conf")),
    ("mfcc.conf", ("final.mdl", "mfcc.conf", "word_boundary.int")),
)
"""The two layouts of official models: (feature configuration, files that must be there)."""

GRAPHS = (("HCLG.fst",), ("HCLr.fst", "Gr.fst"))
"""A model has a static graph or the two halves of a dynamic one, in graph/ or, in the older layout, at the top."""

MANIFEST = "earshot-manifest.json"
"""Written last into a copy. Without it, or with files of other sizes, Earshot makes the copy again."""


class Manifest(msgspec.Struct, frozen=True):
    """The content of a prepared copy. `identity`: hash of all its files; `sizes`: bytes by relative path."""

    identity: str
    sizes: dict[str, int]


class Prepared(msgspec.Struct, frozen=True):
    """A usable copy: its place, the model's name, and the hash of its content."""

    folder: str
    name: str
    identity: str


def prepare(source: Path, cache: Path) -> Prepared:
    """Find or make the prepared copy of the model in `source`. Two processes may do so at once.

    Args:
        source: a Vosk model's folder.
        cache:  where copies are kept.

    Raises:
        ModelUnusable: no folder, a file is missing or unreadable, or the cache cannot be written.
    """
    source = source.resolve()
    configuration = _check(source)
    try:
        changed = _with_options((source / configuration).read_text())
        manifest = _manifest(source, configuration, changed.encode())
        name = source.parent.name if source.name == "model" else source.name  # PyPI's packages call it model/
        target = cache / f"{name}-{manifest.identity[:16]}"
        with locked(cache) as scratch:
            if not _intact(target, manifest):
                _copy(source, target, scratch, manifest, configuration, changed)
    except (OSError, UnicodeDecodeError) as error:
        raise ModelUnusable(f"The Vosk model {source} cannot be prepared in {cache}: {error}.") from None
    return Prepared(str(target), name, manifest.identity)


def _check(source: Path) -> str:
    """The feature configuration's path in the model, if the folder looks like a model."""
    if not source.is_dir():
        raise ModelUnusable(f"There is no Vosk model folder at {source}.")
    for configuration, required in LAYOUTS:
        if not (source / configuration).is_file():
            continue
        missing = [name for name in required if not (source / name).is_file()]
        graph = source / "graph" if (source / "graph").is_dir() else source
        if not any(all((graph / name).is_file() for name in names) for names in GRAPHS):
            missing.append("graph (HCLG.fst, or HCLr.fst and Gr.fst)")
        if missing:
            raise ModelUnusable(f"The Vosk model at {source} is incomplete: {', '.join(missing)} missing.")
        return configuration
    raise ModelUnusable(f"{source} is not a Vosk model: it has no conf/mfcc.conf.")


def _with_options(text: str) -> str:
    """The configuration with OPTIONS instead of what it said about them."""
    kept = [line for line in text.splitlines() if line.split("=")[0].strip() not in OPTIONS]
    return "\n".join([*kept, *(f"{name}={value}" for name, value in OPTIONS.items())]) + "\n"


def _manifest(source: Path, configuration: str, changed: bytes) -> Manifest:
    """The future content of the copy of `source` with the changed configuration."""
    overall = hashlib.sha256()
    sizes = {}
    for name in _files(source):
        if name == configuration:
            digest, sizes[name] = hashlib.sha256(changed).hexdigest(), len(changed)
        else:
            with (source / name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            sizes[name] = (source / name).stat().st_size
        overall.update(f"{name}\0{digest}\n".encode())
    return Manifest(overall.hexdigest(), sizes)


def _files(folder: Path) -> list[str]:
    """Relative paths of all files of a model, sorted; a manifest does not count."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name != MANIFEST)


def _intact(target: Path, manifest: Manifest) -> bool:
    try:
        written = msgspec.json.decode((target / MANIFEST).read_bytes(), type=Manifest)
        sizes = {name: (target / name).stat().st_size for name in manifest.sizes}
    except (OSError, msgspec.DecodeError):
        return False
    return written == manifest and sizes == manifest.sizes


def _copy(source: Path, target: Path, scratch: Path, manifest: Manifest, configuration: str, changed: str) -> None:
    """Build the copy beside its place, then rename it there. Called with the cache locked."""
    copy = scratch / "model"
    for name in manifest.sizes:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, copy / name)
    (copy / configuration).write_text(changed)
    (copy / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    if target.exists():
        target.rename(scratch / "damaged")
    copy.rename(target)
