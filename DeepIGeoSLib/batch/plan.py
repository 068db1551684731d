"""What a run is about to do, looked at before any work: cases, problems, time, memory, disk."""

from __future__ import annotations

import importlib.util
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from DeepIGeoSLib.batch.cards import cards_for
from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.cluster import check_packages
from DeepIGeoSLib.batch.destination import existing_folder
from DeepIGeoSLib.batch.finding import Found, Problem
from DeepIGeoSLib.batch.grids import grid_of
from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.batch.outputs import PICTURE, output_paths
from DeepIGeoSLib.batch.settings import Workers, WorkSettings
from DeepIGeoSLib.bundles import Bundle, load_bundle
from DeepIGeoSLib.bundles.catalog import proposes
from DeepIGeoSLib.dicom.segmentation_writer import ENDING as DICOM_ENDING
from DeepIGeoSLib.dicom.segmentation_writer import check_segmentation_output
from DeepIGeoSLib.engines.free_memory import free_memory
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.pictures import is_picture
from DeepIGeoSLib.tensors import choose_device

# Bytes of a worker: Python with the networks' libraries, and for each voxel of a volume that is in
# work (volume, probability, labels, what is made of them; the next volume beside it), more for each
# map that is written and for each further target. Measured, see Docs/batch.md.
_BASE_BYTES, _VOXEL_BYTES, _VOXEL_BYTES_OF_A_MAP = 700_000_000, 36, 12

# Bytes on disk for each voxel: labels and maps are compressed, these are for hard ones.
_LABEL_BYTES, _MAP_BYTES = 0.1, 4.0

# A few voxels on which the network's speed is measured: enough to be typical, done in a second.
_TRIED_SHAPE = (16, 96, 96)

# Seconds that workers take until they begin.
_BEGINNING = 8.0

_MOST_LISTED, _MOST_NAMED = 20, 6


@dataclass(frozen=True)
class Plan:
    """What a run is about to do.

    Attributes:
        layout: what the input is, see ``Found``.
        cases: to be worked on now.
        done: how many are done already.
        problems: cases that can't be worked on.
        remarks: which files were chosen and which left out.
        workers: how many processes work; 0 for this one alone, None for those of a scheduler.
        voxels: of all cases together; None where DICOM does not tell before it is read.
        memory_bytes: that a worker may need for the largest case, about.
        disk_bytes: that the results may need, about, at most.
        free_bytes: on the disk of the results.
        seconds: that the work may take, about; None where nothing was measured.
    """

    layout: str
    cases: list[BatchCase]
    done: int
    problems: list[Problem]
    remarks: list[str]
    workers: int | None
    voxels: int | None
    memory_bytes: int
    disk_bytes: int
    free_bytes: int
    seconds: float | None = None
    warnings: list[str] = field(default_factory=list)

    def mapping(self) -> dict:
        """Return what JSON can hold."""
        return {
            "layout": self.layout,
            "cases": [case.name for case in self.cases],
            "done": self.done,
            "problems": [{"case": p.case, "reason": p.text} for p in self.problems],
            "remarks": self.remarks,
            "warnings": self.warnings,
            "workers": self.workers,
            "voxels": self.voxels,
            "memory_bytes_of_a_worker": self.memory_bytes,
            "disk_bytes": self.disk_bytes,
            "free_bytes": self.free_bytes,
            "seconds": self.seconds,
        }

    def text(self) -> str:
        """Return what a person reads."""
        lines = [
            f"{counted(len(self.cases))} to work on ({self.layout}), {self.done} done already."
        ]
        if self.cases:
            named = ", ".join(case.name for case in self.cases[:_MOST_NAMED])
            lines.append(f"  {named}{', ...' if len(self.cases) > _MOST_NAMED else ''}")
        lines += _some(self.remarks)
        if self.problems:
            lines.append(f"{counted(len(self.problems))} can't be worked on:")
            lines += _some([str(problem) for problem in self.problems])
        work = "the workers of the scheduler"
        if self.workers is not None:
            work = f"{self.workers} worker{'' if self.workers == 1 else 's'}"
        if self.workers == 0:
            work = "this process alone"
        about = "" if self.seconds is None else f", about {duration(self.seconds)}"
        lines.append(f"Work: by {work}{about}.")
        each = "" if self.workers == 0 else " for each"
        lines.append(f"Memory: at most about {self.memory_bytes / 1e9:.1f} GB{each}.")
        lines.append(
            f"Disk: at most about {_size(self.disk_bytes)} of {_size(self.free_bytes)} free."
        )
        return "\n".join(lines + [f"Note: {warning}" for warning in self.warnings])


def planned(
    found: Found,
    to_do: Sequence[BatchCase],
    *,
    done: int,
    order: WorkOrder,
    workers: Workers,
    measure: bool,
) -> Plan:
    """Look at the headers of all cases that are to be worked on.

    Args:
        found: all cases.
        to_do: those that are not done.
        done: how many are.
        order: what is the same for all.
        workers: what works on them.
        measure: whether the network's speed is measured, which takes some seconds.

    Raises:
        InputError: the bundle can't be opened, this computer lacks the device, a worker may not use
            what Python itself takes, or Dask or what draws its dashboard is missing.
    """
    _check_memory(order.settings, workers)
    _check_device(order.settings, workers)
    check_packages(workers)
    good, problems, sizes = [], list(found.problems), []
    bundle = load_bundle(order.bundle)
    for case in to_do:
        try:
            _check_fits(case, order, bundle)
            if order.settings.format == DICOM_ENDING:
                check_segmentation_output(Path(f"{case.name}{DICOM_ENDING}"), case.images[0])
            _check_is_picture(case, order)
            output_paths(case, order)
            grid = grid_of(case)
        except InputError as error:
            problems.append(Problem(case.name, str(error)))
            continue
        good.append(case)
        if grid is not None:
            sizes.append(grid.voxels)
    # Cases in DICOM are as large as the others, or as a usual volume where there is no other.
    typical = int(np.mean(sizes)) if sizes else 256 * 256 * 64
    voxels = sum(sizes) + typical * (len(good) - len(sizes))
    memory = memory_need(max(sizes, default=typical), order)
    count = worker_count(workers, order.settings, len(good))
    seconds = _seconds(order, voxels, count) if measure and good else None
    disk = int(voxels * _voxel_bytes(order))
    return Plan(
        layout=found.layout,
        cases=good,
        done=done,
        problems=problems,
        remarks=found.remarks,
        workers=count,
        voxels=voxels if len(sizes) == len(good) else None,
        memory_bytes=memory,
        disk_bytes=disk,
        free_bytes=_free(order.output),
        seconds=seconds,
        warnings=_warnings(memory, disk, order),
    )


def memory_need(voxels: int, order: WorkOrder) -> int:
    """Return the bytes that a worker may need for a volume, about."""
    settings = order.settings
    targets = max(1, len(order.targets))
    maps = targets - 1 + targets * (settings.probability + settings.uncertainty)
    for_voxels = voxels * (_VOXEL_BYTES + _VOXEL_BYTES_OF_A_MAP * maps)
    return _BASE_BYTES + for_voxels + settings.network_bytes


def worker_count(workers: Workers, settings: WorkSettings, cases: int) -> int | None:
    """Return how many processes to begin: as many as are asked for, or as there is room for.

    There is room for one on each card (GPU); without any, for one on each core.

    Returns:
        None where a scheduler has its own.
    """
    if workers.scheduler is not None:
        return None
    if workers.count is not None:
        return workers.count
    by_memory = int(free_memory() // (settings.memory_gb * 1e9))
    by_cores = cards_for(settings.device) or _cores() // settings.threads
    return max(1, min(by_cores, by_memory, max(1, cases)))


def _check_memory(settings: WorkSettings, workers: Workers) -> None:
    """Check that processes that are begun here may use more than Python with its libraries takes.

    Raises:
        InputError: they would be ended before they have done anything.
    """
    local = workers.scheduler is None and workers.count != 0
    if local and settings.memory_gb * 1e9 < _BASE_BYTES:
        raise InputError(
            f"A process may use {settings.memory_gb:g} GB (--memory), but needs "
            f"{_BASE_BYTES / 1e9:g} GB before it reads any image."
        )


def _check_device(settings: WorkSettings, workers: Workers) -> None:
    """Check that processes that are begun here have the device that is asked for.

    Raises:
        InputError: they would fail at every case.
    """
    if settings.device not in ("auto", "cpu") and workers.scheduler is None:
        choose_device(settings.device)


def _check_fits(case: BatchCase, order: WorkOrder, bundle: Bundle) -> None:
    """Check that what is given of a case is what the bundle can work with.

    Raises:
        InputError: it is not.
    """
    name = bundle.manifest.name
    if case.seeds is None and case.initial is not None:
        raise InputError(f"There are no seeds to correct {case.initial} by.")
    if case.seeds is None and not proposes(bundle):
        raise InputError(
            f"The bundle {name} segments nothing without seeds, and this case has none."
        )
    if case.seeds is not None and order.objects:
        raise InputError("Seeds correct a segmentation; objects are found without them.")
    if case.seeds is not None and order.targets:
        names = ", ".join(target.name for target in order.targets)
        raise InputError(f"Seeds are about one target; say by --target which one: {names}.")


def _check_is_picture(case: BatchCase, order: WorkOrder) -> None:
    """Check that a label picture is asked for of a picture alone.

    Raises:
        InputError: it is asked for of a volume.
    """
    if order.settings.format == PICTURE and not is_picture(case.images[0]):
        raise InputError(
            f"{case.images[0]} is no picture, and {PICTURE} keeps no place in a patient; choose "
            "another --format."
        )


def can_report() -> bool:
    """Whether the packages that write a report are installed."""
    return all(importlib.util.find_spec(package) for package in ("jinja2", "PIL"))


def counted(cases: int) -> str:
    """Return a number of cases in words."""
    return f"{cases} case{'' if cases == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return seconds in the units that people say them in."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _seconds(order: WorkOrder, voxels: int, count: int | None) -> float | None:
    """Measure the network on a few voxels; return what all of them may take."""
    from DeepIGeoSLib.batch.answering import Answerer
    from DeepIGeoSLib.batch.reading import CaseContent
    from DeepIGeoSLib.batch.work import torch_threads
    from DeepIGeoSLib.volume import Volume

    bundle = load_bundle(order.bundle)
    if count is None or not proposes(bundle):
        return None
    noise = np.random.default_rng(0).normal(100, 10, _TRIED_SHAPE).astype(np.float32)
    channels = [Volume(noise, name="noise")] * len(bundle.manifest.channels)
    content = CaseContent(channels, seeds=None, initial=None, truths=None)
    answerer = Answerer(bundle, order)
    with torch_threads(order.settings.threads):
        answerer.answer(content, None)
        began = time.perf_counter()
        answerer.answer(content, None)
        each = (time.perf_counter() - began) / noise.size
    return _BEGINNING + each * voxels / max(1, count)


def _voxel_bytes(order: WorkOrder) -> float:
    maps = order.settings.probability + order.settings.uncertainty
    return _LABEL_BYTES + _MAP_BYTES * maps * max(1, len(order.targets))


def _warnings(memory: int, disk: int, order: WorkOrder) -> list[str]:
    said = []
    if order.thumbnails and not can_report():
        said.append(
            "No report will be written: it needs Jinja2 and Pillow (pip install deepigeos[report])."
        )
    if memory > order.settings.memory_gb * 1e9:
        said.append(
            f"The largest case may need {memory / 1e9:.1f} GB, more than a worker may use "
            f"({order.settings.memory_gb:g} GB); give it more by --memory."
        )
    if disk > _free(order.output):
        said.append(f"The disk of {order.output} may be too small.")
    return said


def _free(output: Path) -> int:
    return shutil.disk_usage(existing_folder(output)).free


def _cores() -> int:
    """Return how many processor cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Windows and macOS
        return os.cpu_count() or 1


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def _some(lines: Sequence[str]) -> list[str]:
    shown = [f"  {line}" for line in lines[:_MOST_LISTED]]
    more = len(lines) - _MOST_LISTED
    return [*shown, f"  and {more} more"] if more > 0 else shown
