"""Turning what goes wrong into one sentence for the user."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager

from DeepIGeoSLib.errors import DeepIGeoSError
from DeepIGeoSLib.scene.translation import tr as _

_log = logging.getLogger(__name__)


@contextmanager
def telling(tell: Callable[[str], object]) -> Generator[None, None, None]:
    """Hand the sentence of an error to ``tell`` instead of raising it."""
    try:
        yield
    except DeepIGeoSError as error:
        tell(str(error))
    except Exception as error:  # whatever torch or a full memory raises must reach the user
        _log.exception("DeepIGeoS failed")
        tell(
            _("Failed: {error}. The Python console tells more; nothing was changed.").format(
                error=error
            )
        )
