"""Says whether a figure grows, by a straight line through its samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scripts.soaking.watch import Sample


def growth(samples: Sequence[Sample], warm: float) -> dict[str, Any]:
    """For each figure: mean, first and last sample, maximum, and how much it grows an hour.

    warm: share of the samples, from the beginning, to leave out. Processor seconds become cores.
    """
    steady = samples[int(len(samples) * warm) :]
    hours = np.array([one["seconds"] for one in steady]) / 3600
    figures: dict[str, Any] = {}
    cores: dict[str, float] = {}
    for name in sorted({name for one in steady for name in one} - {"seconds"}):
        values = np.array([one.get(name, math.nan) for one in steady])
        there = ~np.isnan(values)
        if not there.any():
            continue
        if name.endswith(": processor seconds"):
            spent = (values[there][-1] - values[there][0]) / max(1e-9, (hours[there][-1] - hours[there][0]) * 3600)
            cores[name.partition(":")[0]] = round(float(spent), 3)
            continue
        told = {"mean": values[there].mean(), "first": values[there][0], "last": values[there][-1]}
        told["max"] = values[there].max()
        if there.sum() > 2:
            slope, error = _line(hours[there], values[there])
            told |= {"per_hour": slope, "per_hour_error": error}
        figures[name] = {key: round(float(value), 2) for key, value in told.items()}
    return {"measured_seconds": round(float(hours[-1] - hours[0]) * 3600), "cores": cores, "figures": figures}


def _line(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Slope of the least squares, and its standard error."""
    centred = x - x.mean()
    spread = float((centred**2).sum())
    slope = float((centred * y).sum()) / spread
    rest = y - y.mean() - slope * centred
    return slope, math.sqrt(float((rest**2).sum()) / max(1, len(x) - 2) / spread)
