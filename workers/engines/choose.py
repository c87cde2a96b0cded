"""Which speech engine this worker uses. A further engine is one module and one line here."""

from __future__ import annotations

import logging

from workers.engines.base import Model, ModelUnusable

ENGINES = ("auto", "moonshine", "stub")
"""Values of EARSHOT_ENGINE. auto: the best that can be had here."""

log = logging.getLogger(__name__)


def load_model(engine: str = "auto") -> Model:
    """Load the model of the chosen engine.

    Raises:
        ModelUnusable: unknown engine, or its model cannot be loaded; one clear sentence.
    """
    # Imported late: each engine loads a large library, and a worker needs one of them.
    if engine == "stub":
        from workers.engines.stub import StubModel

        return StubModel()
    if engine in ("auto", "moonshine"):
        from workers.engines.moonshine import MoonshineModel

        return MoonshineModel()
    raise ModelUnusable(f"EARSHOT_ENGINE={engine!r} is not one of {', '.join(ENGINES)}.")
