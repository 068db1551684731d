"""Segment every image of a folder inside Slicer, without its window.

    Slicer --no-splash --no-main-window --python-script segment_in_slicer.py IMAGES RESULTS [MODEL]

For each image a Slicer segmentation NAME.seg.nrrd is written. An image that can't be segmented is
named at the end; the others are done all the same. The exit code is 0, or 1 if there was one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import slicer

_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")


def segment_folder(images: Path, results: Path, logic) -> dict[str, str]:
    """Segment all images; return why some could not be, by file name."""
    problems = {}
    results.mkdir(parents=True, exist_ok=True)
    for path in sorted(images.iterdir()):
        ending = next((e for e in _ENDINGS if path.name.endswith(e)), None)
        if ending is None:
            continue
        target = results / f"{path.name.removesuffix(ending)}.seg.nrrd"
        try:
            volume = slicer.util.loadVolume(str(path))
            segmentation, segment = logic.newTarget(volume)
            logic.propose(volume, segmentation, segment)
            slicer.util.saveNode(segmentation, str(target))
        except (RuntimeError, ValueError) as error:
            problems[path.name] = str(error)
        logic.forgetAll()
        slicer.mrmlScene.Clear(0)
    return problems


def main(arguments: list[str]) -> int:
    """Run with the arguments of the command line."""
    if len(arguments) not in (2, 3):
        print(__doc__)
        return 2
    from DeepIGeoS import DeepIGeoSLogic

    logic = DeepIGeoSLogic(*arguments[2:])
    problems = segment_folder(Path(arguments[0]), Path(arguments[1]), logic)
    for name, problem in problems.items():
        print(f"{name}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    slicer.util.exit(main(sys.argv[1:]))
