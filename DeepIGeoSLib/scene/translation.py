"""Slicer's translation where there is one; elsewhere texts stay as they are."""

from __future__ import annotations

try:
    from slicer.i18n import tr
except ImportError:  # slicer-core brings no translations

    def tr(text: str) -> str:
        """Return the text."""
        return text


__all__ = ["tr"]
