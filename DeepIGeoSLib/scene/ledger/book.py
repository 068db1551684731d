"""The ledgers of all segments of a scene, each kept with its segment.

What the scene shows is the truth: users edit a segment by hand, undo in the Segment Editor, load a
scene. Before each step the ledger goes to the place that equals what is shown, or takes an edit
over as a round of its own.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import vtk

from DeepIGeoSLib.grid.lattice import placement
from DeepIGeoSLib.interaction.scribbles import Interactions
from DeepIGeoSLib.scene.anchor import anchorOf, movement
from DeepIGeoSLib.scene.labels import Change, Labels
from DeepIGeoSLib.scene.ledger.coding import DamagedLedger
from DeepIGeoSLib.scene.ledger.rounds import Ledger
from DeepIGeoSLib.scene.ledger.text import ledgerFromText, ledgerText
from DeepIGeoSLib.scene.nodes import ijkToRasOf, shapeOf
from DeepIGeoSLib.scene.seeds import Strokes, findSeeds
from DeepIGeoSLib.scene.segment_voxels import labelsOfSegment, segmentStamp

_log = logging.getLogger(__name__)

_STATE_TAG = "DeepIGeoS.State"
_LEDGER_TAG = "DeepIGeoS.Ledger"

# Bytes that the rounds of all segments may take together.
MEMORY_BUDGET = 64 << 20


@dataclass
class Entry:
    """A segment, as it is known.

    Attributes:
        ledger: its rounds.
        segment: the vtkSegment.
        ijkToRas: of the volume that the ledger's voxels are those of.
        anchor: from ``anchorOf`` at that time.
        saved: the state that is kept with the segment, or "".
        known: the segment at the ledger's place; None where it was not read yet.
        stamp: from ``segmentStamp`` when it was read or written.
        painted: the strokes that are painted because they were answered.
    """

    ledger: Ledger
    segment: Any
    ijkToRas: np.ndarray
    anchor: str
    saved: str = ""
    known: Labels | None = None
    stamp: tuple[int, ...] | None = None
    painted: Interactions = field(init=False)

    def __post_init__(self) -> None:
        """Take for painted what was answered."""
        self.painted = self.ledger.interactions

    @property
    def labels(self) -> Labels:
        """``known``, of an entry that was opened: opening reads the segment."""
        if self.known is None:
            raise ValueError("The segment was not read yet.")
        return self.known


class LedgerBook:
    """Finds, follows and keeps the ledgers of segments."""

    def __init__(self) -> None:
        """Begin with nothing in memory."""
        self._entries: dict[tuple[str, str], Entry] = {}

    def find(self, segmentationNode: Any, segmentId: str) -> Ledger | None:
        """Return the ledger of a segment as it was last seen, or None where there is none."""
        entry = self._known(segmentationNode, segmentId)
        return None if entry is None else entry.ledger

    def open(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> Entry:
        """Return a segment's entry, which agrees with what the scene shows now."""
        entry = self._known(segmentationNode, segmentId)
        if entry is None:
            labels = labelsOfSegment(volumeNode, segmentationNode, segmentId)
            entry = Entry(
                Ledger(labels.shape, labels.digest(), labels.count()),
                segmentationNode.GetSegmentation().GetSegment(segmentId),
                ijkToRasOf(volumeNode),
                anchorOf(segmentationNode),
                known=labels,
                stamp=segmentStamp(segmentationNode, segmentId),
            )
        key = (segmentationNode.GetID(), segmentId)
        self._entries.pop(key, None)
        self._entries[key] = entry  # as the one used last
        place = (volumeNode, segmentationNode, segmentId)
        self._followGrid(entry, *place)
        self._followLabels(entry, *place)
        return entry

    def save(self, entry: Entry, strokes: bytes | None = None) -> None:
        """Keep a ledger with its segment.

        Args:
            entry: of the segment.
            strokes: from ``packedInteractions``, where it is known already.
        """
        self._keepWithinMemory()
        geometry = {
            "ijkToRas": entry.ijkToRas.ravel().tolist(),
            "anchor": entry.anchor,
        }
        entry.saved = entry.ledger.place.state
        entry.segment.SetTag(_LEDGER_TAG, ledgerText(entry.ledger, geometry, strokes))
        entry.segment.SetTag(_STATE_TAG, entry.saved)

    def forget(self, segmentationNode: Any, segmentId: str) -> None:
        """Forget the rounds and strokes of a segment for good."""
        self._entries.pop((segmentationNode.GetID(), segmentId), None)
        segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
        if segment is not None:
            for tag in (_LEDGER_TAG, _STATE_TAG):
                segment.RemoveTag(tag)

    def forgetStrokes(self, segmentationNode: Any) -> None:
        """Forget the strokes of all segments of a segmentation, as if they had never been."""
        for segmentId in segmentationNode.GetSegmentation().GetSegmentIDs():
            entry = self._known(segmentationNode, segmentId)
            if entry is not None and not entry.ledger.interactions.empty:
                entry.ledger.remember(Interactions(entry.ledger.shape))
                entry.painted = entry.ledger.interactions
                self.save(entry)

    def clear(self) -> None:
        """Forget what is in memory; what is kept with the segments stays."""
        self._entries.clear()

    def _known(self, segmentationNode: Any, segmentId: str) -> Entry | None:
        """Return what is in memory or kept with a segment, whichever the segment says."""
        segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
        if segment is None:
            return None
        key = (segmentationNode.GetID(), segmentId)
        entry, saved = self._entries.get(key), _tag(segment, _STATE_TAG)
        if entry is not None and entry.segment is segment:
            if saved == entry.saved:
                return entry
            done = entry.ledger.findState(saved)
            if done is not None or not saved:  # the Segment Editor's undo took the tag along
                entry.ledger.goTo(done or 0)
                entry.saved, entry.known, entry.stamp = saved, None, None
                return entry
        if not saved:
            return None
        self._entries.pop(key, None)
        loaded = _loaded(segment, saved)
        if loaded is not None:
            self._entries[key] = loaded
        return loaded

    def _followGrid(
        self, entry: Entry, volumeNode: Any, segmentationNode: Any, segmentId: str
    ) -> None:
        """Bring the ledger to the volume's grid, if it was made on another one."""
        shape, ijkToRas = shapeOf(volumeNode), ijkToRasOf(volumeNode)
        anchor = anchorOf(segmentationNode)
        moved = movement(entry.anchor, anchor)
        sameVolume = entry.ledger.shape == shape and np.allclose(
            entry.ijkToRas, ijkToRas, atol=1e-9
        )
        if sameVolume and moved is None:
            entry.ijkToRas, entry.anchor = ijkToRas, anchor
            return
        known = entry.ijkToRas if moved is None else moved @ entry.ijkToRas
        placed = placement(known, entry.ledger.shape, ijkToRas)
        same = entry.ledger.shape == shape and placed is not None and placed.is_identity
        if not same:
            shown = labelsOfSegment(volumeNode, segmentationNode, segmentId)
            strokes = _onGrid(entry.ledger.interactions, known, ijkToRas, shape)
            before, entry.ledger = entry.ledger, Ledger(shape, shown.digest(), shown.count())
            entry.ledger.shortened = "grid" if before.steps else before.shortened
            entry.ledger.interactions = entry.painted = strokes
        entry.ijkToRas, entry.anchor = ijkToRas, anchor
        entry.known, entry.stamp = None, None

    def _followLabels(
        self, entry: Entry, volumeNode: Any, segmentationNode: Any, segmentId: str
    ) -> None:
        """Bring the ledger to the place that the scene shows."""
        stamp = segmentStamp(segmentationNode, segmentId)
        if entry.known is not None and stamp == entry.stamp:
            return
        known, ledger = entry.known, entry.ledger
        shown = labelsOfSegment(volumeNode, segmentationNode, segmentId)
        entry.known, entry.stamp = shown, stamp
        seeds = findSeeds(segmentationNode, segmentId)
        if shown.digest() != ledger.place.digest:
            self._catchUp(entry, known, seeds is not None, milliliters(volumeNode))
            self.save(entry)
        if seeds is not None:
            strokes = strokesOf(entry.painted), strokesOf(ledger.interactions)
            seeds.exchange(volumeNode, *strokes)
        entry.painted = ledger.interactions

    def _catchUp(
        self, entry: Entry, known: Labels | None, editsWin: bool, voxelVolume: float
    ) -> None:
        """Let the ledger follow a segment that somebody else has changed."""
        ledger, shown = entry.ledger, entry.labels
        done = ledger.find(shown.digest())
        if done is not None:
            ledger.goTo(done)
        elif known is None:
            ledger.forgetRounds("edit", shown)
            if editsWin:
                ledger.remember(agreeing(ledger.interactions, shown))
        else:
            change, strokes = known.changeTo(shown), ledger.interactions
            if editsWin:
                strokes = agreeing(strokes, shown, change)
            ledger.commit("edited", change, shown, interactions=strokes, voxelVolume=voxelVolume)

    def _keepWithinMemory(self) -> None:
        """Let the oldest rounds of the segments go that were not worked on for the longest time."""
        memory = sum(entry.ledger.memory for entry in self._entries.values())
        for entry in self._entries.values():
            while memory > MEMORY_BUDGET and entry.ledger.steps:
                memory -= entry.ledger.memory
                entry.ledger.forgetOldest("memory")
                memory += entry.ledger.memory


def strokesOf(interactions: Interactions) -> Strokes:
    """Return the strokes that count: sorted voxel numbers of both classes."""
    return interactions.foreground, interactions.background


def milliliters(volumeNode: Any) -> float:
    """Return the volume of one voxel."""
    return float(abs(np.linalg.det(ijkToRasOf(volumeNode)[:3, :3]))) / 1000


def _loaded(segment: Any, saved: str) -> Entry | None:
    """Return what is kept with a segment; None, and a warning, where it can't be read."""
    try:
        ledger, geometry = ledgerFromText(_tag(segment, _LEDGER_TAG))
        ijkToRas = np.array(geometry["ijkToRas"], dtype=float).reshape(4, 4)
        if not np.isfinite(ijkToRas).all() or abs(np.linalg.det(ijkToRas)) == 0:
            raise DamagedLedger("What is kept with the segment has no geometry.")
        return Entry(ledger, segment, ijkToRas, str(geometry["anchor"]), saved)
    except (DamagedLedger, KeyError, ValueError, TypeError) as error:
        _log.warning("The rounds of the segment %r are lost: %s", segment.GetName(), error)
        return None


def agreeing(
    interactions: Interactions, labels: Labels, change: Change | None = None
) -> Interactions:
    """Return the strokes without those that an edit by hand contradicts: it came later.

    Args:
        interactions: the strokes before.
        labels: the segment after the edit.
        change: what the edit changed; anything when None.
    """
    edited = None if change is None else Labels(labels.shape, change.box, change.flips)
    kept = []
    for voxels, belongs in zip(strokesOf(interactions), (True, False), strict=True):
        wrong = labels.holds(voxels) != belongs
        if edited is not None:
            wrong &= edited.holds(voxels)
        kept.append(voxels[~wrong])
    return Interactions(labels.shape, *kept, *kept)


def _onGrid(
    interactions: Interactions,
    fromIjkToRas: np.ndarray,
    toIjkToRas: np.ndarray,
    shape: tuple[int, int, int],
) -> Interactions:
    """Return strokes on another grid, by the nearest voxels."""
    toVolume = np.linalg.solve(toIjkToRas, fromIjkToRas)
    moved = []
    for voxels in strokesOf(interactions):
        ijk = np.stack(np.unravel_index(voxels, interactions.shape))[::-1]
        places = np.rint(toVolume[:3, :3] @ ijk + toVolume[:3, 3:]).astype(int)[::-1]
        inside = np.all((places >= 0) & (places < np.array(shape)[:, None]), axis=0)
        moved.append(np.unique(np.ravel_multi_index(tuple(places[:, inside]), shape)))
    foreground, background = moved
    background = np.setdiff1d(background, foreground, assume_unique=True)
    return Interactions(shape, foreground, background, foreground, background)


def _tag(segment: Any, name: str) -> str:
    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else ""
