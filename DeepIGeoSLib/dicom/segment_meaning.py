"""What the segments of a DICOM segmentation are, in codes, and what made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Code:
    """A coded concept.

    Attributes:
        value: such as "108369006".
        meaning: the same in words, such as "Neoplasm".
        scheme: who defines the codes; "SCT" is SNOMED CT.
    """

    value: str
    meaning: str
    scheme: str = "SCT"


TISSUE = Code("85756007", "Tissue")


@dataclass(frozen=True)
class SegmentMeaning:
    """What a segment is.

    Attributes:
        label: what people read.
        category: what kind of thing it is: a tissue, an anatomical structure, an abnormal one.
            The codes are those of DICOM's context group 7150.
        kind: what it is.
        region: where in the body it lies; None where that is not known.
    """

    label: str = "Segment"
    category: Code = TISSUE
    kind: Code = TISSUE
    region: Code | None = None


@dataclass(frozen=True)
class Algorithm:
    """What made a segmentation.

    Attributes:
        name: such as the name of a model bundle.
        version: of it.
        automatic: whether nobody had a hand in it.
        parameters: further settings by name, such as the hash of the weights.
    """

    name: str
    version: str
    automatic: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SegmentationMeaning:
    """What is to be told of a segmentation besides its voxels.

    Attributes:
        segments: by label in the labelmap; others are tissues called "Segment_" and the label.
        algorithm: what made it.
    """

    segments: Mapping[int, SegmentMeaning] = field(default_factory=dict)
    algorithm: Algorithm = Algorithm("DeepIGeoS", "unknown", automatic=False)

    def of(self, label: int) -> SegmentMeaning:
        """Return what a label means."""
        return self.segments.get(label) or SegmentMeaning(f"Segment_{label}")
