"""Whether the benchmarks' pictures can be drawn here: results come without them, too."""

from __future__ import annotations

import logging
from importlib.util import find_spec

_logger = logging.getLogger(__name__)


def can_draw() -> bool:
    """Return whether matplotlib is installed; where it is not, a warning says what is left out."""
    if find_spec("matplotlib") is not None:
        return True
    _logger.warning("There is no plot, because matplotlib is not installed.")
    return False
