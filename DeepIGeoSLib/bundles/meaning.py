"""What a bundle segments, in codes: for files that other programs read, such as DICOM."""

from __future__ import annotations

from DeepIGeoSLib.bundles.bundle import Bundle
from DeepIGeoSLib.dicom import Algorithm, SegmentationMeaning, SegmentMeaning
from DeepIGeoSLib.errors import BundleError, InputError
from DeepIGeoSLib.settings import from_mapping
from DeepIGeoSLib.settings.files import read_mapping

# A file of its own beside the manifest, which older versions pass over.
MEANING_NAME = "segment.json"


def meaning_of(bundle: Bundle, *, automatic: bool, target: str = "") -> SegmentationMeaning:
    """Return what the segmentations of a bundle mean.

    A bundle without ``segment.json`` says nothing in codes: its target is a tissue, as Slicer has
    it for segments that nobody named.

    Args:
        bundle: from ``load_bundle``.
        automatic: whether nobody had a hand in the segmentation.
        target: the one of several targets that is segmented alone; all of them when empty, 1 for
            the first. They are told by their names, not in codes.

    Raises:
        BundleError: the file is damaged.
    """
    manifest, path = bundle.manifest, bundle.folder / MEANING_NAME
    segments = {1: SegmentMeaning(label=manifest.task[:1].upper() + manifest.task[1:])}
    if bundle.has_networks and path.is_file():
        try:
            segments = {1: from_mapping(SegmentMeaning, read_mapping(path), str(path))}
        except InputError as error:
            raise BundleError(str(error)) from error
    weights = {f"SHA-256 of {role}": weight.sha256 for role, weight in manifest.weights.items()}
    algorithm = Algorithm(f"DeepIGeoS {manifest.name}", manifest.version, automatic, weights)
    names = [target] if target else [own.name for own in manifest.targets]
    if manifest.targets:
        segments = {number: SegmentMeaning(label=name) for number, name in enumerate(names, 1)}
    return SegmentationMeaning(segments, algorithm)
