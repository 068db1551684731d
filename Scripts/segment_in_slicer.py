"""Segment every image of a folder inside Slicer, without its window.

    Slicer --no-splash --no-main-window --python-script segment_in_slicer.py IMAGES RESULTS [MODEL]

For each image a Slicer segmentation NAME.seg.nrrd is written. An image whose segmentation is there
already is left out, so a run that was stopped goes on and nothing is ever replaced. An image that
can't be segmented is named at the end; the others are done all the same. The exit code is 0; 1 if
there was such an image; 2 if two images would get the same name, which is said before any work.
"""

from __future__ import annotations

import sys
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

import slicer

_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
_SEGMENTATION = ".seg.nrrd"


def targets_of(images: Path, results: Path) -> dict[Path, Path]:
    """Return where the segmentation of each image goes.

    Raises:
        ValueError: images that differ in their endings or capitals alone would get the same name.
    """
    targets = {}
    for path in sorted(images.iterdir()):
        name = path.name.lower()
        ending = next((e for e in _ENDINGS if name.endswith(e)), None)
        if ending is not None and not name.endswith(_SEGMENTATION):
            targets[path] = results / f"{path.name[: -len(ending)]}{_SEGMENTATION}"
    sharing = defaultdict(list)
    for path, target in targets.items():
        sharing[unicodedata.normalize("NFC", target.name).casefold()].append(path.name)
    collisions = [" and ".join(names) for names in sharing.values() if len(names) > 1]
    if collisions:
        raise ValueError(
            f"These images would get the same name, so nothing was done: {'; '.join(collisions)}."
        )
    return targets


def segment_folder(targets: dict[Path, Path], logic: Any) -> dict[str, str]:
    """Segment images that have no segmentation yet; return why some could not be, by file name."""
    problems = {}
    for path, target in targets.items():
        if target.exists():
            continue
        try:
            _segment(path, target, logic)
        except (RuntimeError, ValueError, OSError) as error:
            problems[path.name] = str(error)
        logic.forgetAll()
        slicer.mrmlScene.Clear(0)
    return problems


def _segment(path: Path, target: Path, logic: Any) -> None:
    """Segment an image that is whole; its segmentation appears whole or not at all."""
    from DeepIGeoSLib.files import written_in_one_step
    from DeepIGeoSLib.formats.reading import check_image, read_image

    check_image(path)
    volume = slicer.util.loadVolume(str(path))
    segmentation, segment = logic.newTarget(volume)
    logic.propose(volume, segmentation, segment)
    with written_in_one_step(target) as temporary:
        slicer.util.saveNode(segmentation, str(temporary))
        read_image(temporary)


def main(arguments: list[str]) -> int:
    """Run with the arguments of the command line."""
    if len(arguments) not in (2, 3):
        print(__doc__)
        return 2
    from DeepIGeoS import DeepIGeoSLogic

    images, results = (Path(argument) for argument in arguments[:2])
    try:
        targets = targets_of(images, results)
        results.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    problems = segment_folder(targets, DeepIGeoSLogic(*arguments[2:]))
    for name, problem in problems.items():
        print(f"{name}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    slicer.util.exit(main(sys.argv[1:]))
