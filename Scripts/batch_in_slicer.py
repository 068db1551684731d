"""Segment a cohort inside Slicer without its window, or with the package slicer-core.

    Slicer --no-splash --no-main-window --python-script batch_in_slicer.py INPUT RESULTS [MODEL]
    python batch_in_slicer.py INPUT RESULTS [MODEL]

INPUT is a folder of images and DICOM series, a BIDS data set or a CSV list. For each case a Slicer
segmentation is written, and a report on all of them. What is done is noted in a journal: the same
command again does only what is missing. A case that can't be segmented is named at the end; the
others are done all the same. The exit code is 0; 1 if there was such a case, or if the run was
stopped, by a full disk, say; 2 if nothing could be begun. One sentence says why.

On many cores ``deepigeos batch`` is faster: inside Slicer one process does all the work.
"""

from __future__ import annotations

import sys
from typing import Any

_DEFAULT_MODEL = "flair-whole-tumor"


def main(arguments: list[str]) -> int:
    """Run with the arguments of the command line."""
    if len(arguments) not in (2, 3):
        print(__doc__)
        return 2
    source, results, *model = arguments
    try:
        records = segment(source, results, *model)
    except ValueError as error:  # InputError is one
        print(error, file=sys.stderr)
        return 2
    except Exception as error:  # whatever it is: Slicer would stay open, without a window
        print(f"Stopped: {str(error) or type(error).__name__}", file=sys.stderr)
        return 1
    failed = [record for record in records if record.reason]
    for record in failed:
        print(f"{record.name}: {record.reason}", file=sys.stderr)
    print(f"{len(records) - len(failed)} cases done, {len(failed)} failed; see {results}.")
    return 1 if failed else 0


def segment(source: str, results: str, model: str = _DEFAULT_MODEL) -> list[Any]:
    """Segment a cohort; return what is known of its cases."""
    if inside_slicer():
        from DeepIGeoS import DeepIGeoSLogic

        return DeepIGeoSLogic(model).batch(source, results, leave_out_problems=True)
    from DeepIGeoSLib.batch import Workers, WorkSettings, run_batch

    return run_batch(
        source,
        results,
        bundle=model,
        settings=WorkSettings(format=".seg.nrrd"),
        workers=Workers(count=0),
        leave_out_problems=True,
    ).records


def inside_slicer() -> bool:
    """Whether this runs in the application."""
    try:
        import slicer
    except ModuleNotFoundError:
        return False
    return hasattr(slicer, "app")


if __name__ == "__main__":
    code = main(sys.argv[1:])
    if inside_slicer():
        import slicer

        slicer.util.exit(code)
    sys.exit(code)
