"""Colors as a page writes them."""

from __future__ import annotations


def css(color: tuple[float, float, float]) -> str:
    """Return a color (red, green, blue in [0, 1]) as a page writes it."""
    return f"rgb({', '.join(str(round(255 * part)) for part in color)})"
