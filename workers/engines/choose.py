"""Which speech engine this worker uses. A further engine is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from workers.engines.base import Model, ModelUnusable


class Choice(msgspec.Struct, frozen=True):
    """An engine chosen, not loaded yet: `load` may be called in each child, or once before forking if fork_safe."""

    load: Callable[[], Model]
    fork_safe: bool


def choose(engine: str, vosk_model: str, vosk_model_url: str) -> Choice:
    """Pick the engine for these settings. Raises ModelUnusable if what was asked for cannot be had."""
    # Imported late: each engine loads a large library, and a worker needs one of them.
    if engine == "stub":
        from workers.engines.stub import StubModel

        return Choice(StubModel, True)
    if engine in ("auto", "moonshine"):
        from workers.engines.moonshine import MoonshineModel

        return Choice(MoonshineModel, False)
    raise ModelUnusable(f"EARSHOT_ENGINE={engine!r} is not available yet")
