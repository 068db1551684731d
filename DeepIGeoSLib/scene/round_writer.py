"""Putting rounds into the scene: their segment, their strokes, and their place in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.scene.labels import Change
from DeepIGeoSLib.scene.ledger.book import Entry, LedgerBook, agreeing, milliliters, strokesOf
from DeepIGeoSLib.scene.nodes import SegmentPlace
from DeepIGeoSLib.scene.seeds import Seeds, findSeeds
from DeepIGeoSLib.scene.segment_session import Answer, Start
from DeepIGeoSLib.scene.segment_voxels import changeSegment, labelsOfSegment, segmentStamp
from DeepIGeoSLib.scene.translation import tr as _


class RoundWriter:
    """Writes what a round or an undo changes, and nothing else of the segment."""

    def __init__(
        self,
        book: LedgerBook,
        saveStateForUndo: Callable[[], object] | None,
        writeMask: Callable[[np.ndarray, Any, Any, str], None] | None,
    ) -> None:
        """Take the book of ledgers; see ``SegmentationLogic`` for the others."""
        self._book = book
        self._saveStateForUndo = saveStateForUndo
        self._writeMask = writeMask

    def saveStateForUndo(self) -> None:
        """Let the Segment Editor's undo take back what is written next."""
        if self._saveStateForUndo is not None:
            self._saveStateForUndo()

    def write(
        self,
        entry: Entry,
        answer: Answer,
        start: Start,
        *,
        place: SegmentPlace,
    ) -> None:
        """Put an answer into its segment, beside what was edited by hand while it was computed.

        Args:
            entry: what is known of the segment by now.
            answer: the round.
            start: what it was computed from.
            place: the target.

        Raises:
            InputError: the segment was taken back to another state meanwhile.
        """
        volumeNode, segmentationNode, segmentId = place
        self.check(entry, start)
        asComputed = entry.ledger.place.state == start.state
        change, strokes = answer.change, answer.interactions
        if not asComputed:
            edits = start.labels.changeTo(entry.labels)
            change = change.without(edits)
            strokes = agreeing(strokes, entry.labels, edits)
        written = self._changed(entry, change, place)
        asComputed = asComputed and written is change
        entry.ledger.commit(
            answer.kind,
            written,
            entry.labels,
            interactions=strokes,
            voxelVolume=milliliters(volumeNode),
            state=answer.state if asComputed else "",
            packed=answer.packed if asComputed else None,
            digest=answer.digest if asComputed else None,
        )
        self._book.save(entry, answer.packedStrokes if strokes is answer.interactions else None)
        seeds = findSeeds(segmentationNode, segmentId)
        if seeds is not None:
            seeds.erase(volumeNode, answer.lost)
            if answer.filled.size:
                _fill(seeds, volumeNode, answer.filled)
            seeds.exchange(volumeNode, strokesOf(answer.interactions), strokesOf(strokes))
        entry.painted = strokes

    def check(self, entry: Entry, start: Start) -> None:
        """Check that an answer to a start can still be written; see ``write``."""
        if not entry.ledger.editedSince(start.state):
            raise InputError(
                _(
                    "The segment {segment!r} was taken back to another state while the answer was "
                    "computed; the answer was not written."
                ).format(segment=entry.segment.GetName())
            )

    def walk(
        self,
        entry: Entry,
        move: Callable[[], Change],
        back: Callable[[], Change],
        *,
        place: SegmentPlace,
    ) -> Box:
        """Go to another round, in the ledger and in the scene.

        Args:
            entry: of the segment.
            move: takes the ledger there.
            back: takes it back, when the scene can't follow.
            place: the target.

        Returns:
            Slices (k, j, i) of the smallest box whose labels changed.
        """
        change = move()
        try:
            change = self._changed(entry, change, place)
        except Exception:
            back()
            raise
        self._book.save(entry)
        seeds = findSeeds(*place[1:])
        if seeds is not None:
            after = strokesOf(entry.ledger.interactions)
            seeds.exchange(place[0], strokesOf(entry.painted), after)
        entry.painted = entry.ledger.interactions
        return change.cropped().box

    def _changed(self, entry: Entry, change: Change, place: SegmentPlace) -> Change:
        """Write a change into its segment; return what has changed in it."""
        if change.empty:
            return change
        self.saveStateForUndo()
        before = entry.labels
        wanted = before.changed(change)
        if self._writeMask is None:
            changeSegment(place, change, before)
            entry.known = wanted
        else:
            self._writeMask(wanted.mask(), *place)
            entry.known = labelsOfSegment(*place)
            written = before.changeTo(entry.labels)
            change = change if np.array_equal(written.flips, change.flips) else written
        entry.stamp = segmentStamp(*place[1:])
        return change


def _fill(seeds: Seeds, volumeNode: Any, voxels: np.ndarray) -> None:
    """Paint the areas of outlines, but not over strokes of the other kind painted meanwhile."""
    none = voxels[:0]
    background = seeds.voxels(volumeNode)[1]()
    free = np.setdiff1d(voxels, background, assume_unique=True)
    seeds.exchange(volumeNode, (none, none), (free, none))
