"""Measure the intensities of the images that a bundle was trained on, into its folder.

    python Scripts/measure_intensities.py CONFIG BUNDLE

CONFIG is the configuration of the training, BUNDLE the folder that it wrote. A batch run then flags
images with other intensities.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from DeepIGeoSLib import Volume, load_bundle
from DeepIGeoSLib.bundles.intensities import INTENSITIES_NAME, KnownIntensities, signature_of
from DeepIGeoSLib.data import find_cases
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.training.config import read_config


def main(configuration: str, folder: str) -> None:
    """Measure every training image, and write what they have in common."""
    settings = read_config(configuration)
    bundle = load_bundle(Path(folder))
    normalization = bundle.manifest.normalization
    images = {case.image for case in find_cases(settings.data, Path(configuration).parent, "train")}
    signatures = [signature_of(Volume.read(path).array, normalization) for path in sorted(images)]
    with written_in_one_step(bundle.folder / INTENSITIES_NAME) as temporary:
        known = asdict(KnownIntensities.of(signatures))
        temporary.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
