"""Cohorts that the tests of batch runs share."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cohorts import CASES, a_head, files_of


@pytest.fixture
def write_cohort(tmp_path: Path) -> Callable[..., Path]:
    """Write heads as images/p0/head.nii.gz, images/p1/head.nii.gz, ..., and their truths."""

    def write(count: int) -> Path:
        folder = tmp_path / "images"
        for number in range(count):
            volume, lesion = a_head(number)
            (folder / f"p{number}").mkdir(parents=True)
            volume.write_map(folder / f"p{number}" / "head.nii.gz", volume.array)
            (tmp_path / "truths").mkdir(exist_ok=True)
            volume.write_labels(tmp_path / "truths" / f"p{number}.nii.gz", lesion)
        return folder

    return write


@pytest.fixture
def pythons_ctrl_c() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, whatever imported packages (dask_jobqueue) made of it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def by_one_process(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
) -> tuple[Path, dict[str, bytes]]:
    """A cohort, and what one process without any other makes of it."""
    from DeepIGeoSLib.batch import Workers, run_batch

    images = write_cohort(CASES)
    run_batch(
        images, tmp_path / "alone", bundle=tiny_bundle, workers=Workers(count=0), report=False
    )
    return images, files_of(tmp_path / "alone")
