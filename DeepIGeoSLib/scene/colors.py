"""The colors of seeds and lesions, which people with any color vision can tell apart.

Seeds are drawn over lesions, so a stroke must never look like the lesion below it. The distances
between these colors, as normal, protan, deutan and tritan eyes see them, are tested.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Color = tuple[float, float, float]

# Red, green, blue in [0, 1].
SEED_COLORS: dict[str, Color] = {
    "foreground": (86 / 255, 180 / 255, 233 / 255),  # sky blue of Okabe and Ito
    "background": (220 / 255, 20 / 255, 60 / 255),
}
LESION_COLORS: tuple[Color, ...] = (
    (240 / 255, 228 / 255, 66 / 255),  # yellow of Okabe and Ito
    (191 / 255, 0.0, 1.0),
    (235 / 255, 1.0, 250 / 255),
    (1.0, 170 / 255, 150 / 255),
)


def lesionColor(segmentation: Any) -> Color:
    """Return the color for a new lesion: the one that the fewest segments have."""
    segments = [segmentation.GetSegment(i) for i in segmentation.GetSegmentIDs()]

    def uses(color: Color) -> int:
        return sum(np.allclose(segment.GetColor(), color, atol=0.01) for segment in segments)

    return min(LESION_COLORS, key=uses)
