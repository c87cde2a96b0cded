"""Chooses this worker's speech engine. A new engine is one module and a few lines here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from state.settings import Settings
from workers.engines.base import Model, ModelUnusable
from workers.engines.cache import cache_folder
from workers.engines.catalogues import SHERPA_URL, VOSK_URL, sherpa_archive, vosk_archive
from workers.engines.download import Archive, DownloadError, official_model
from workers.engines.prepare import prepare

ENGINES = ("auto", "vosk", "sherpa", "moonshine", "stub")
"""Values of EARSHOT_ENGINE. auto: what VOSK_MODEL or SHERPA_MODEL names, else an English Vosk model in reach, else
Moonshine."""

ENGLISH_MODEL = "vosk-model-small-en-us-0.15"
"""The official small English model (40 MB), taken when VOSK_MODEL is not set."""

log = logging.getLogger(__name__)


class Choice(msgspec.Struct, frozen=True):
    """A chosen engine. Its model is ready on disk and not loaded yet.

    `load` may be called in each child, or once before forking if fork_safe. It raises ModelUnusable.
    """

    load: Callable[[], Model]
    fork_safe: bool


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The settings about the engine, under the names of state.settings.

    engine:           one of ENGINES.
    vosk_model:       a Vosk model's folder or an official model's name; "": the English one if it is in reach.
    vosk_model_url:   address to download official Vosk models from.
    sherpa_model:     the folder or official name of an offline model that sherpa-onnx runs; "": none.
    sherpa_model_url: address to download those from.
    """

    engine: str = "auto"
    vosk_model: str = ""
    vosk_model_url: str = VOSK_URL
    sherpa_model: str = ""
    sherpa_model_url: str = SHERPA_URL

    @classmethod
    def by(cls, settings: Settings) -> Wanted:
        """What these settings want."""
        return cls(
            engine=settings.earshot_engine,
            vosk_model=settings.vosk_model,
            vosk_model_url=settings.vosk_model_url,
            sherpa_model=settings.sherpa_model,
            sherpa_model_url=settings.sherpa_model_url,
        )


def choose(wanted: Wanted, cache: Path | None = None) -> Choice:
    """Pick the engine and get its model ready on disk.

    Args:
        cache: folder for downloaded and prepared models; default cache_folder().

    Raises:
        ModelUnusable: the engine or the model is not available; one clear sentence.
    """
    cache = cache or cache_folder()
    engine, vosk_model, sherpa_model = wanted.engine, wanted.vosk_model, wanted.sherpa_model
    if engine not in ENGINES:
        raise ModelUnusable(f"EARSHOT_ENGINE={engine} is not one of {', '.join(ENGINES)}.")
    if engine == "stub":
        from workers.engines.stub import StubModel

        return Choice(StubModel, fork_safe=True)
    if engine == "moonshine":
        return _moonshine()
    if engine == "sherpa" and not sherpa_model:
        raise ModelUnusable("EARSHOT_ENGINE=sherpa needs SHERPA_MODEL: a folder or an official model's name.")
    if engine == "auto" and vosk_model and sherpa_model:
        raise ModelUnusable("VOSK_MODEL and SHERPA_MODEL are both set. Set only one, or set EARSHOT_ENGINE.")
    if sherpa_model and engine != "vosk":
        return _sherpa(_folder(sherpa_model, cache, partial(sherpa_archive, base_url=wanted.sherpa_model_url)), cache)
    vosk = partial(vosk_archive, base_url=wanted.vosk_model_url)
    if vosk_model:
        return _vosk(_folder(vosk_model, cache, vosk), cache)
    try:
        return _vosk(official_model(ENGLISH_MODEL, vosk, cache), cache)
    except DownloadError as error:
        if engine == "vosk":
            raise
        log.info("VOSK_MODEL is not set. %s Using the offline English engine Moonshine.", error)
        return _moonshine()


def _folder(given: str, cache: Path, find: Callable[[str], Archive]) -> Path:
    """The folder that a setting names: itself, or an official model's."""
    folder = Path(given).expanduser()
    return folder if folder.is_dir() or len(folder.parts) > 1 else official_model(given, find, cache)


# The engines are imported late: each loads a large library, and a worker needs one of them.


def _vosk(folder: Path, cache: Path) -> Choice:
    from workers.engines.vosk.model import VoskModel

    return Choice(partial(VoskModel, prepare(folder, cache)), VoskModel.fork_safe)


def _sherpa(folder: Path, cache: Path) -> Choice:
    from workers.engines.sherpa import SherpaModel, ready

    return Choice(partial(SherpaModel, ready(folder, cache)), SherpaModel.fork_safe)


def _moonshine() -> Choice:
    from workers.engines.moonshine import MoonshineModel

    return Choice(MoonshineModel, MoonshineModel.fork_safe)
