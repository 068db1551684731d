"""What the targets of a session mean, for a DICOM segmentation."""

from __future__ import annotations

from dataclasses import replace

from DeepIGeoSLib.bundles import Bundle, load_bundle
from DeepIGeoSLib.bundles.meaning import meaning_of
from DeepIGeoSLib.dicom import SegmentationMeaning, SegmentMeaning
from DeepIGeoSLib.web.session import WebSession


def session_meaning(session: WebSession) -> SegmentationMeaning:
    """Return names as the list of targets has them, the model's codes, and the model.

    A model with several targets has no codes for them. Nobody had a hand in it where every round
    of every target is the model's own.
    """
    bench = session.bench
    place = (bench.volumeNode, bench.segmentationNode)
    segmentation = bench.segmentationNode.GetSegmentation()
    segments = segmentation.GetSegmentIDs()
    rounds = [made for one in segments for made in bench.logic.rounds(*place, one)]
    automatic = bool(rounds) and all(made.kind == "segmented" for made in rounds)
    chosen = bench.logic.bundle
    bundle = chosen if isinstance(chosen, Bundle) else load_bundle(chosen)
    known = meaning_of(bundle, automatic=automatic)
    coded = known.of(1) if len(known.segments) == 1 else SegmentMeaning()
    named = {
        label: replace(coded, label=segmentation.GetSegment(one).GetName())
        for label, one in enumerate(segments, 1)
    }
    return SegmentationMeaning(named, known.algorithm)
