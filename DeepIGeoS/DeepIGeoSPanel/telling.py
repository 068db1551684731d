"""Errors of the library as a line of a section."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from DeepIGeoSPanel.library import importLibrary


class Telling:
    """Turns the library's own errors into a line of the section."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def __enter__(self) -> Telling:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        expected = importLibrary("DeepIGeoSLib.errors").DeepIGeoSError
        if kind is not None and issubclass(kind, expected):
            self._say(str(error))
            return True
        return False
