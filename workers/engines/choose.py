"""Which speech engine this worker uses. A further engine is one module and a few lines here.

Choosing (which may download and prepare a model) and loading are two steps: a parent process chooses once, its
children load.
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from workers.engines.base import Model, ModelUnusable
from workers.engines.download import OFFICIAL_URL, DownloadError, cached_model, official_model
from workers.engines.prepare import Prepared, prepare

ENGINES = ("auto", "vosk", "moonshine", "stub")
"""Values of EARSHOT_ENGINE. auto: VOSK_MODEL if it is set, else an English Vosk model in reach, else Moonshine."""

ENGLISH_MODEL = "vosk-model-small-en-us-0.15"
"""The official small English model (40 MB), taken when VOSK_MODEL is not set."""

log = logging.getLogger(__name__)


class Choice(msgspec.Struct, frozen=True):
    """An engine by name, and for Vosk the prepared model."""

    engine: str
    prepared: Prepared | None = None

    @property
    def fork_safe(self) -> bool:
        """Whether a parent may load it once for all its children; as the loaded model's `fork_safe`."""
        return self.engine != "moonshine"


def choose(
    engine: str = "auto",
    vosk_model: str = "",
    vosk_model_url: str = OFFICIAL_URL,
    cache: Path | None = None,
    may_download: bool = True,
) -> Choice:
    """Decide on an engine; get its model ready on disk.

    Args:
        engine:         one of ENGINES.
        vosk_model:     a Vosk model's folder or an official model's name; "": the English one if it is in reach.
        vosk_model_url: where official models are downloaded from.
        cache:          folder for downloaded and prepared models; default cache_folder().
        may_download:   False keeps to what is on disk, unless vosk_model names a model that is not.

    Raises:
        ModelUnusable: the engine or model that was asked for cannot be had; one clear sentence.
    """
    if engine not in ENGINES:
        raise ModelUnusable(f"EARSHOT_ENGINE={engine} is not one of {', '.join(ENGINES)}.")
    if engine in ("moonshine", "stub"):
        return Choice(engine)
    if vosk_model:
        folder = Path(vosk_model).expanduser()
        is_folder = folder.is_dir() or len(folder.parts) > 1
        return Choice(
            "vosk", prepare(folder if is_folder else official_model(vosk_model, cache, vosk_model_url), cache)
        )
    try:
        found = cached_model(ENGLISH_MODEL, cache)
        if found is None and (may_download or engine == "vosk"):
            found = official_model(ENGLISH_MODEL, cache, vosk_model_url)
        if found is not None:
            return Choice("vosk", prepare(found, cache))
        reason = "VOSK_MODEL is not set and no English Vosk model is on disk."
    except DownloadError as error:
        if engine == "vosk":
            raise
        reason = f"VOSK_MODEL is not set. {error}"
    log.info("%s Using the offline English engine Moonshine.", reason)
    return Choice("moonshine")


def load(choice: Choice) -> Model:
    """Load the chosen engine's model into this process.

    Raises:
        ModelUnusable: it cannot be loaded.
    """
    # Imported late: each engine loads a large library, and a worker needs one of them.
    if choice.prepared is not None:
        from workers.engines.vosk import VoskModel

        return VoskModel(choice.prepared)
    if choice.engine == "stub":
        from workers.engines.stub import StubModel

        return StubModel()
    from workers.engines.moonshine import MoonshineModel

    return MoonshineModel()
