"""libvosk, loaded with fixed arithmetic."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from workers.engines.base import ModelUnusable

CORE_TYPE = "Haswell"
"""OpenBLAS kernels that every x86 processor with AVX2 can run. Without this setting each processor gets its own
kernels, and some give other words (measured: Sandybridge, Nehalem)."""


def load_library() -> Any:
    """The vosk package. The library chooses its kernels when it is loaded. Raises ModelUnusable if it cannot be."""
    if "OPENBLAS_CORETYPE" not in os.environ and _has_avx2():
        os.environ["OPENBLAS_CORETYPE"] = CORE_TYPE
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # no threads: they would not survive a fork
    try:
        import vosk
    except (ImportError, OSError) as error:
        raise ModelUnusable(f"The vosk package cannot be loaded: {error}.") from None
    vosk.SetLogLevel(-1)
    return vosk


def core_type() -> str:
    """The kernels that the loaded library uses."""
    return os.environ.get("OPENBLAS_CORETYPE", "native")


def _has_avx2() -> bool:
    """Whether this is an x86 processor with AVX2; False where Linux does not say."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    try:
        return " avx2 " in Path("/proc/cpuinfo").read_text().replace("\n", " ")
    except OSError:
        return False
