"""Draw the icon of the extension and of the module.

A bright lesion in a dark brain, a stroke in it, and the geodesic distance from that stroke: the
rings follow the lesion and stop at its border. Run it as ``python Resources/draw_icon.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyBboxPatch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from DeepIGeoSLib import geodesic_distance  # noqa: E402 (works from a checkout)

PIXELS = 128
SIZE = 256  # of the drawing, in its own pixels
NAVY, BRAIN, AMBER, GREEN, RED = "#14213d", "#3d5a80", "#ffb703", "#2dc653", "#ef476f"


def depth_in_disk(
    x: np.ndarray, y: np.ndarray, center: tuple[float, float], radius: float
) -> np.ndarray:
    """Return how deep points lie inside a disk; negative outside."""
    return radius - np.hypot(x - center[0], y - center[1])


def draw() -> plt.Figure:
    """Return the icon as a figure of 128 x 128 pixels."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(float)
    brain = 1 - np.hypot((x - 128) / 100, (y - 130) / 112)
    lesion = np.maximum.reduce(
        [
            depth_in_disk(x, y, (150, 106), 46),
            depth_in_disk(x, y, (110, 142), 40),
            depth_in_disk(x, y, (162, 156), 32),
        ]
    )
    ends = ((114, 148), (162, 122))
    along = np.linspace(0, 1, 200)
    stroke = np.zeros((SIZE, SIZE), dtype=bool)
    for share in along:
        column, row = (a + share * (b - a) for a, b in zip(*ends, strict=True))
        stroke |= depth_in_disk(x, y, (column, row), 5) > 0
    tissue = 90 * np.float32((brain > 0) * 1 + (lesion > 0) * 1)
    distance = geodesic_distance(
        tissue[np.newaxis], stroke[np.newaxis], (1.0, 1.0, 1.0), weight=0.6
    )[0]

    figure = plt.figure(figsize=(1, 1), dpi=PIXELS)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, SIZE), ylim=(SIZE, 0))
    axes.axis("off")
    axes.add_patch(
        FancyBboxPatch((6, 6), 244, 244, "round,pad=0,rounding_size=44", fc=NAVY, ec="none")
    )
    axes.contourf(x, y, brain, levels=[0, 2], colors=[BRAIN], antialiased=True)
    axes.contourf(x, y, lesion, levels=[0, SIZE], colors=[AMBER], antialiased=True)
    rings = np.where(lesion > 2, distance, np.nan)
    axes.contour(x, y, rings, levels=[7, 14, 21, 28, 35], colors=[NAVY], linewidths=0.8)
    axes.plot(*zip(*ends, strict=True), color=GREEN, linewidth=6, solid_capstyle="round")
    axes.plot([52, 66, 92], [98, 66, 50], color=RED, linewidth=5, solid_capstyle="round")
    return figure


def main() -> None:
    """Write the icon to both places."""
    figure = draw()
    for path in (ROOT / "DeepIGeoS.png", ROOT / "DeepIGeoS/Resources/Icons/DeepIGeoS.png"):
        figure.savefig(path, dpi=PIXELS, transparent=True, metadata={"Software": None})


if __name__ == "__main__":
    main()
