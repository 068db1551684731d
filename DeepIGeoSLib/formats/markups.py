"""Markups files of Slicer (.mrk.json): points, and boxes (ROI)."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from DeepIGeoSLib.errors import InputError

SUFFIX = ".mrk.json"

# From the patient's axes that a file names to RAS.
_TO_RAS = {"RAS": np.array([1.0, 1.0, 1.0]), "LPS": np.array([-1.0, -1.0, 1.0])}


def read_points(path: str | Path) -> np.ndarray:
    """Return the points of a markups file, RAS in mm: float64, axes (point, coordinate).

    Raises:
        InputError: the file can't be read or holds no point.
    """
    points = [
        _TO_RAS[_axes(path, markup)] * _numbers(path, point.get("position"), 3)
        for markup in _markups(path)
        for point in markup.get("controlPoints", [])
        if point.get("positionStatus", "defined") == "defined"
    ]
    if not points:
        raise InputError(f"{path} holds no point.")
    return np.array(points)


def read_roi(path: str | Path) -> np.ndarray:
    """Return the corners of the one box (ROI) of a markups file, RAS in mm: float64 (8, 3).

    Raises:
        InputError: the file can't be read, or does not hold exactly one box.
    """
    rois = [markup for markup in _markups(path) if markup.get("type") == "ROI"]
    if len(rois) != 1:
        raise InputError(f"{path} holds {len(rois)} ROI boxes; one is expected.")
    roi = rois[0]
    to_ras = _TO_RAS[_axes(path, roi)]
    center, size = (_numbers(path, roi.get(name), 3) for name in ("center", "size"))
    axes = _numbers(path, roi.get("orientation", np.eye(3).ravel().tolist()), 9).reshape(3, 3)
    corners = np.array(list(product((-0.5, 0.5), repeat=3))) * size
    return (center + corners @ axes.T) * to_ras


def _markups(path: str | Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{path} is no markups file of Slicer.") from error
    markups = content.get("markups") if isinstance(content, dict) else None
    if not isinstance(markups, list) or not all(isinstance(one, dict) for one in markups):
        raise InputError(f"{path} is no markups file of Slicer.")
    return markups


def _axes(path: str | Path, markup: dict[str, Any]) -> str:
    axes = str(markup.get("coordinateSystem", "LPS"))
    if axes not in _TO_RAS:
        raise InputError(f"{path} counts along {axes}; LPS and RAS are known.")
    return axes


def _numbers(path: str | Path, values: Any, count: int) -> np.ndarray:
    try:
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise InputError(f"{path} holds {values!r} where {count} numbers are expected.")
    return numbers
