"""Which speech engine this worker uses. A further engine is one module and a few lines here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from workers.engines.base import Model, ModelUnusable
from workers.engines.download import OFFICIAL_URL, DownloadError, cached_model, official_model
from workers.engines.prepare import prepare

ENGINES = ("auto", "vosk", "moonshine", "stub")
"""Values of EARSHOT_ENGINE. auto: VOSK_MODEL if it is set, else an English Vosk model in reach, else Moonshine."""

ENGLISH_MODEL = "vosk-model-small-en-us-0.15"
"""The official small English model (40 MB), taken when VOSK_MODEL is not set."""

log = logging.getLogger(__name__)


class Choice(msgspec.Struct, frozen=True):
    """An engine chosen, its model ready on disk, not loaded yet.

    `load` may be called in each child, or once before forking if fork_safe. It raises ModelUnusable.
    """

    load: Callable[[], Model]
    fork_safe: bool


def choose(
    engine: str = "auto",
    vosk_model: str = "",
    vosk_model_url: str = OFFICIAL_URL,
    cache: Path | None = None,
    may_download: bool = True,
) -> Choice:
    """Pick the engine for these settings and get its model ready on disk.

    Args:
        engine:         one of ENGINES.
        vosk_model:     a Vosk model's folder or an official model's name; "": the English one if it is in reach.
        vosk_model_url: where official models are downloaded from.
        cache:          folder for downloaded and prepared models; default cache_folder().
        may_download:   False keeps auto to what is on disk.

    Raises:
        ModelUnusable: the engine or model that was asked for cannot be had; one clear sentence.
    """
    if engine not in ENGINES:
        raise ModelUnusable(f"EARSHOT_ENGINE={engine} is not one of {', '.join(ENGINES)}.")
    if engine == "stub":
        from workers.engines.stub import StubModel

        return Choice(StubModel, fork_safe=True)
    if engine == "moonshine":
        return _moonshine()
    if vosk_model:
        folder = Path(vosk_model).expanduser()
        is_folder = folder.is_dir() or len(folder.parts) > 1
        return _vosk(folder if is_folder else official_model(vosk_model, cache, vosk_model_url), cache)
    try:
        found = cached_model(ENGLISH_MODEL, cache)
        if found is None and (may_download or engine == "vosk"):
            found = official_model(ENGLISH_MODEL, cache, vosk_model_url)
        if found is not None:
            return _vosk(found, cache)
        reason = f"{ENGLISH_MODEL} is not on disk."
    except DownloadError as error:
        if engine == "vosk":
            raise
        reason = str(error)
    log.info("VOSK_MODEL is not set. %s Using the offline English engine Moonshine.", reason)
    return _moonshine()


# The engines are imported late: each loads a large library, and a worker needs one of them.


def _vosk(folder: Path, cache: Path | None) -> Choice:
    from workers.engines.vosk import VoskModel

    return Choice(partial(VoskModel, prepare(folder, cache)), VoskModel.fork_safe)


def _moonshine() -> Choice:
    from workers.engines.moonshine import MoonshineModel

    return Choice(MoonshineModel, MoonshineModel.fork_safe)
