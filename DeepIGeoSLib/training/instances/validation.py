"""How well the objects of whole validation cases are found by the weights of the moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from DeepIGeoSLib.bundles import BundleManifest
from DeepIGeoSLib.crf.crfnet import CRFNet
from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.data.objects import read_objects
from DeepIGeoSLib.evaluation.instance_metrics import (
    ComparedImage,
    compared,
    compared_boxes,
    measure_instances,
)
from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.instances import Instances, find_instances
from DeepIGeoSLib.networks import INSTANCES
from DeepIGeoSLib.networks.network import SegmentationNetwork
from DeepIGeoSLib.training.settings import TrainingSettings
from DeepIGeoSLib.training.validation import CaseResult, NetworksInTraining, Validation

# Found objects of a lower score are not counted; AP needs the unsure ones, too.
LEAST_SCORE = 0.05


class InstanceValidation(Validation):
    """What ``find_instances`` finds, which is what users get."""

    def __init__(
        self,
        cases: Sequence[LabeledCase],
        manifest: BundleManifest,
        *,
        folder: Path,
        settings: TrainingSettings,
    ) -> None:
        """Take the validation cases and the manifest; the rest as ``Validation``."""
        super().__init__(folder, settings)
        self.cases = [(case, *read_objects(case, settings.instances.objects)) for case in cases]
        self.manifest = manifest
        self._compared: dict[str, list[ComparedImage]] = defaultdict(list)
        self._boxes: dict[str, list[ComparedImage]] = defaultdict(list)

    def results(self, network: SegmentationNetwork, crf: CRFNet | None) -> Iterator[CaseResult]:
        """Yield the result of each case; the outlines shown are those of objects with a score."""
        bundle = NetworksInTraining(self.manifest, {INSTANCES: network})
        least_shown = self.settings.network.options["score"]
        self._compared.clear()
        self._boxes.clear()
        for case, channels, truth in self.cases:
            found = find_instances(bundle, channels, least_score=LEAST_SCORE)
            self._compared[case.dataset].append(compared(found, truth))
            self._boxes[case.dataset].append(compared_boxes(found, truth))
            sure = tuple(one for one in found.found if one.score >= least_shown)
            labels = Instances(found.shape, sure).labels()
            yield CaseResult(
                case.dataset,
                case.name,
                {"dice": dice(labels > 0, truth > 0)},
                channels[0].array,
                _apart(truth),
                _apart(labels),
            )

    def pooled(self) -> dict[tuple[str, str], float]:
        """Return the measures of all objects of each data set together."""
        found = {}
        for dataset, images in self._compared.items():
            measured = measure_instances(images)
            found[dataset, "ap50"] = measured.ap50
            found[dataset, "ap"] = measured.ap
            found[dataset, "box ap50"] = measure_instances(self._boxes[dataset]).ap50
            found[dataset, "sensitivity"] = measured.sensitivity
        return found

    def save_prediction(self, number: int, result: CaseResult, folder: Path) -> None:
        """Write the voxels of the objects of a case, with gaps where they touch."""
        case, channels, _ = self.cases[number]
        path = folder / case.dataset / f"{case.name.replace('/', '_')}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        channels[0].write_labels(path, result.labels)


def _apart(labels: np.ndarray) -> np.ndarray:
    """Return the voxels of all objects, without those where two of them touch in plane: bool."""
    mask = labels > 0
    for axis in (1, 2):
        first = np.take(labels, range(labels.shape[axis] - 1), axis)
        second = np.take(labels, range(1, labels.shape[axis]), axis)
        touching = (first != second) & (first > 0) & (second > 0)
        widths = [(0, 1) if a == axis else (0, 0) for a in range(labels.ndim)]
        mask &= ~np.pad(touching, widths)
    return mask
