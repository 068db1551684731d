"""Telling the user's strokes from what the program itself writes into the seeds."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import slicer

from DeepIGeoSLib.scene.seeds import Seeds


class SeedWatch:
    """Calls back when seeds are painted or erased by anybody else.

    Several may watch the same scene, as those of the panel and of the effect do. What one of them
    writes is no stroke for the others either, so all share one mark.
    """

    _writers = 0

    def __init__(self, painted: Callable[[], object]) -> None:
        """Begin without seeds to watch; ``painted`` is called after each stroke."""
        self._painted = painted
        self._observed: tuple[Any, int] | None = None

    @property
    def writing(self) -> bool:
        """Whether the program itself is changing the scene just now."""
        return SeedWatch._writers > 0

    def watch(self, seeds: Seeds | None) -> None:
        """Watch these seeds from now on, and no others."""
        segmentation = None if seeds is None else seeds.segmentationNode.GetSegmentation()
        if self._observed is not None:
            if self._observed[0] is segmentation:
                return
            self._observed[0].RemoveObserver(self._observed[1])
            self._observed = None
        if segmentation is not None:
            event = slicer.vtkSegmentation.SourceRepresentationModified
            self._observed = (segmentation, segmentation.AddObserver(event, self._onModified))

    @contextmanager
    def own(self) -> Generator[None, None, None]:
        """Don't take what is written meanwhile for strokes of the user."""
        SeedWatch._writers += 1
        try:
            yield
        finally:
            SeedWatch._writers -= 1

    def _onModified(self, _caller: Any, _event: str) -> None:
        if not self.writing:
            self._painted()
