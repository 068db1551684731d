"""The two computations of the method: propose (P-Net) and refine (R-Net).

Both are functions of arrays on the oriented grid (see ``orientation``); they keep no state and
return new arrays, so whoever calls them can discard a result without a trace.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.any_structure.boxing import answer_box
from DeepIGeoSLib.any_structure.choice import AnswerChoice
from DeepIGeoSLib.any_structure.refining import answer_strokes
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.zoom import Lattice
from DeepIGeoSLib.classical.answering import answer_strokes as answer_without_network
from DeepIGeoSLib.errors import Progress, stop_if
from DeepIGeoSLib.grid.boxes import (
    Box,
    grown_box,
    relative_box,
    shared_box,
    voxels_in,
    whole_box,
)
from DeepIGeoSLib.grid.resampling import resample_in_slabs
from DeepIGeoSLib.inputs.distance_channels import InteractionSettings, distance_maps, network_input
from DeepIGeoSLib.inputs.prepared_image import PreparedImage
from DeepIGeoSLib.interaction.boldness import emboldened
from DeepIGeoSLib.interaction.boxes import box_marks
from DeepIGeoSLib.interaction.draft import Draft
from DeepIGeoSLib.interaction.history import Reader
from DeepIGeoSLib.interaction.region import grown_where_changed, region_around, stroke_groups
from DeepIGeoSLib.interaction.requested_changes import Request, connected_changes
from DeepIGeoSLib.interaction.scribbles import Interactions
from DeepIGeoSLib.targets import Target, target_probabilities

if TYPE_CHECKING:
    from DeepIGeoSLib.crf import MeanField
    from DeepIGeoSLib.engines import Engine


# How often a region may grow, each time for one more run of R-Net; a second time gained nothing.
_GROWTHS = 1


def propose(
    image: PreparedImage,
    engine: Engine,
    *,
    targets: Sequence[Target] = (),
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    crf: MeanField | None = None,
) -> list[np.ndarray]:
    """Return P-Net's probability of each target: float32 on the oriented volume's grid.

    Of several, it is that against the strongest of what excludes it, see ``target_probabilities``.

    Args:
        image: the volume.
        engine: runs P-Net.
        targets: what P-Net tells apart; none for a single target.
        progress: called with the share done and a text.
        cancel: stops the work when it is set.
        crf: CRF-Net(f) for P-Net's answer; none when None.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    report(progress, cancel, fraction=0.0, text="Preparing the volume")
    grid = image.grid(image.tissue_box)
    values = None if crf is None else image.on(grid, cancel)  # a CRF needs all of it at once
    channels = image.read_on(grid, cancel) if values is None else values
    report(progress, cancel, fraction=0.1, text="Running P-Net")
    if targets:
        answers = engine.probabilities(channels, cancel)
        whole = [_on_volume(image, grid.box, answer, cancel=cancel) for answer in answers]
        report(progress, cancel, fraction=0.9, text="Telling the targets apart")
        return _of_targets(whole, targets, progress=progress, cancel=cancel)
    answer = engine.foreground_probability(channels, cancel)
    if crf is not None and values is not None:
        report(progress, cancel, fraction=0.7, text="Running the CRF")
        answer = crf.foreground_probability(answer, values, grid.spacing, cancel=cancel)
    probability = _on_volume(image, grid.box, answer, cancel=cancel)
    report(progress, cancel, fraction=1.0, text="Initial segmentation ready")
    return [probability]


def _on_volume(
    image: PreparedImage, box: Box, answer: np.ndarray, *, cancel: threading.Event | None
) -> np.ndarray:
    """Return an answer on a box's working grid as float32 on the volume's, 0 outside the box."""
    if box == whole_box(image.shape) and answer.shape == image.shape:
        return answer
    probability = np.zeros(image.shape, dtype=np.float32)

    def slab(k: slice) -> np.ndarray:
        stop_if(cancel)
        return answer[k]

    resample_in_slabs(slab, answer.shape, probability[box])
    return probability


def _of_targets(
    classes: Sequence[np.ndarray],
    targets: Sequence[Target],
    *,
    progress: Progress | None,
    cancel: threading.Event | None,
) -> list[np.ndarray]:
    """Return the probability of each target from those of the classes, slice by slice."""
    found = [np.empty(classes[0].shape, dtype=np.float32) for _ in targets]
    for k in range(len(classes[0])):
        stop_if(cancel)
        part = slice(k, k + 1)
        shares = target_probabilities(np.stack([one[part] for one in classes]), targets)
        for whole, share in zip(found, shares, strict=True):
            whole[part] = share
    report(progress, cancel, fraction=1.0, text="Initial segmentation ready")
    return found


def refine(
    image: PreparedImage,
    engine: Engine,
    start: np.ndarray,
    *,
    interactions: Interactions,
    changed: np.ndarray,
    settings: InteractionSettings,
    proposal: Reader | None = None,
    region: Box | None = None,
    box: Box | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    crf: MeanField | None = None,
) -> Draft:
    """Return the probability after a round of strokes, as changes of the one before.

    Args:
        image: the volume.
        engine: runs R-Net.
        start: probability before the round, float32 on the oriented grid; not changed.
        interactions: all scribbles.
        changed: numbers of the voxels whose scribbles are new or gone in this round.
        settings: how scribbles become input, and what a round may change.
        proposal: returns a box of what R-Net is to see as the initial segmentation in every round,
            as in the paper; the state before the round when None.
        region: the box that may change, pinned by the user; chosen around the changed scribbles,
            and grown until the change stays inside, when None.
        box: drawn around the target in this round, see ``box_marks``; none when None.
        progress: called with the share done and a text.
        cancel: stops the work when it is set.
        crf: CRF-Net(fu) for R-Net's answer; none when None.

    Returns:
        A draft of ``start`` that is equal to it outside the box and the regions of the changed
        scribbles, but for scribbled voxels, which are 1 (foreground) and 0 (background) everywhere.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    draft = _obedient(image, start, interactions)
    answer = partial(
        _answer,
        image,
        engine,
        draft,
        settings=settings,
        proposal=proposal,
        crf=crf,
        cancel=cancel,
    )
    if box is not None:
        report(progress, cancel, fraction=0.0, text="Looking into the box")
        _answer_box(image, draft, answer, box=box, interactions=interactions)
    jobs = _jobs(image, changed, region)
    for index, job in enumerate(jobs):
        report(
            progress,
            cancel,
            fraction=index / len(jobs),
            text=f"Refining region {index + 1} of {len(jobs)}",
        )
        answer(job=job, interactions=interactions)
    report(progress, cancel, fraction=1.0, text="Refined segmentation ready")
    return draft


@dataclass(frozen=True)
class _Job:
    """A box to run R-Net in, the changed scribbles it answers, and how often it may grow."""

    region: Box
    changed: np.ndarray
    growths: int


def _jobs(image: PreparedImage, changed: np.ndarray, region: Box | None) -> list[_Job]:
    if region is not None:
        inside = changed[voxels_in(changed, region, image.shape)]
        return [_Job(region, inside, growths=0)] if inside.size else []
    size = image.region_size()
    return [
        _Job(region_around(box, size, image.shape), voxels, _GROWTHS)
        for box, voxels in stroke_groups(changed, image.shape, size)
    ]


def _answer(
    image: PreparedImage,
    engine: Engine,
    draft: Draft,
    *,
    job: _Job,
    interactions: Interactions,
    settings: InteractionSettings,
    proposal: Reader | None,
    crf: MeanField | None,
    cancel: threading.Event | None,
) -> None:
    """Run R-Net in a region that grows until the change stays inside; write it to the draft."""
    request = None
    if settings.changes != "any":
        request = Request.of_strokes(job.changed, interactions)
    region = job.region
    for growths_left in range(job.growths, -1, -1):
        state = draft.read(region)
        seen = state if proposal is None else proposal(region)
        grid = image.grid(region)
        channels = image.on(grid)
        seeds = interactions.seeds(region)
        foreground, background = (grid.seeds_to_working(mask) for mask in seeds)
        maps = distance_maps(
            channels, foreground, background, spacing=grid.spacing, settings=settings
        )
        inputs = network_input(channels, grid.to_working(seen), maps)
        answer = engine.foreground_probability(inputs, cancel)
        if crf is not None:
            answer = crf.foreground_probability(
                answer,
                channels,
                grid.spacing,
                foreground=foreground,
                background=background,
                cancel=cancel,
            )
        if request is not None and settings.boldness and not request.erases:
            newest = interactions.among(job.changed).seeds(region)
            newest = (grid.seeds_to_working(mask) for mask in newest)
            near = distance_maps(channels, *newest, spacing=grid.spacing, settings=settings)
            answer = emboldened(answer, near, request, settings=settings)
        answer = grid.to_volume(answer)
        if request is not None:
            maps = np.stack([grid.to_volume(distance) for distance in maps])
            if settings.changes == "connected" and not request.erases:
                answer = connected_changes(state, answer, foreground=seeds[0], background=seeds[1])
            answer = request.granted(state, answer, maps)
        changed = (answer >= 0.5) != (state >= 0.5)
        larger = grown_where_changed(region, changed, image.shape)
        if larger == region or growths_left == 0:
            break
        region = larger
    interactions.impose_on(answer, region)
    draft.write(region, answer)


def _answer_box(
    image: PreparedImage,
    draft: Draft,
    answer: Callable[..., None],
    *,
    box: Box,
    interactions: Interactions,
) -> None:
    """Answer the marks that stand for a box; nothing changes outside of it."""
    marks = box_marks(interactions, box, before=draft.read(box), spacing=image.spacing)
    region = region_around(grown_box(box, 1, image.shape), image.region_size(), image.shape)
    values = draft.read(region)
    answer(job=_Job(region, marks.changed_from(interactions), growths=0), interactions=marks)
    inside = relative_box(box, region)
    values[inside] = draft.read(box)
    interactions.impose_on(values, region)
    draft.write(region, values)


def refine_any_structure(
    image: PreparedImage,
    engine: Engine,
    start: np.ndarray,
    *,
    interactions: Interactions,
    changed: np.ndarray,
    choice: AnswerChoice | None = None,
    region: Box | None = None,
    box: Box | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Draft:
    """Return what ``refine`` does, by the network that knows no class.

    A box comes first. Each group of new strokes is answered in a window that follows the object,
    see ``any_structure``, beside the method without a network. ``choice`` holds the bundle's rules
    that choose among the answers; the other arguments, the result and what is raised are those of
    ``refine``.
    """
    draft = _obedient(image, start, interactions)

    def network(channels: np.ndarray) -> np.ndarray:
        return engine.foreground_probability(channels, cancel)

    if box is not None:
        marks = box_marks(interactions, box, before=draft.read(box), spacing=image.spacing)
        pointing = marks.foreground[voxels_in(marks.foreground, box, image.shape)]
        values = answer_box(
            image.intensities,
            image.spacing,
            draft.read,
            box=box,
            strokes=_stroke_voxels(interactions, np.empty(0, dtype=np.intp)),
            pointed=_stroke_voxels(marks, pointing),
            network=network,
            cancel=cancel,
        )
        draft.write(box, values)
    for strokes in _new_strokes(image, interactions, changed, region):
        where, values = answer_strokes(
            image.intensities,
            image.spacing,
            draft.read,
            strokes=strokes,
            network=network,
            choice=choice,
            region=region,
            cancel=cancel,
        )
        draft.write(where, values)
    report(progress, cancel, fraction=1.0, text="Refined segmentation ready")
    return draft


def refine_without_network(
    image: PreparedImage,
    start: np.ndarray,
    *,
    interactions: Interactions,
    changed: np.ndarray,
    region: Box | None = None,
    box: Box | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Draft:
    """Return what ``refine`` does, from the image and the strokes alone, see ``classical``.

    A box comes first: the foreground that stands for it grows, and nothing changes outside of it.
    The arguments, the result and what is raised are those of ``refine``.
    """
    draft = _obedient(image, start, interactions)
    if box is not None:
        marks = box_marks(interactions, box, before=draft.read(box), spacing=image.spacing)
        click = np.setdiff1d(marks.foreground, interactions.foreground, assume_unique=True)
        if click.size:
            around = grown_box(box, 1, image.shape)
            where, values = answer_without_network(
                image.intensities,
                image.spacing,
                draft.read,
                strokes=_stroke_voxels(marks, click),
                region=around,
                cancel=cancel,
            )
            inside = shared_box(where, box)
            if inside is not None:
                draft.write(inside, values[relative_box(inside, where)])
    for strokes in _new_strokes(image, interactions, changed, region):
        where, values = answer_without_network(
            image.intensities,
            image.spacing,
            draft.read,
            strokes=strokes,
            region=region,
            cancel=cancel,
        )
        draft.write(where, values)
    report(progress, cancel, fraction=1.0, text="Refined segmentation ready")
    return draft


def _new_strokes(
    image: PreparedImage, interactions: Interactions, changed: np.ndarray, region: Box | None
) -> Iterator[StrokeVoxels]:
    """Yield all strokes with each group of new ones; a method without a class answers a group."""
    new = changed[np.isin(changed, np.union1d(interactions.foreground, interactions.background))]
    if region is not None:
        new = new[voxels_in(new, region, image.shape)]
    # Strokes are apart by millimeters, however thick the slices.
    reach = Lattice.of(image.shape, image.spacing, longest=math.inf).reach
    for _, voxels in stroke_groups(new, image.shape, reach):
        yield _stroke_voxels(interactions, voxels)


def _stroke_voxels(interactions: Interactions, new: np.ndarray) -> StrokeVoxels:
    """Return the places of all scribbles, and of those whose numbers are new."""
    classes = (
        voxels
        for scribbles in (interactions, interactions.among(new))
        for voxels in (scribbles.foreground, scribbles.background)
    )
    return StrokeVoxels(
        *(np.stack(np.unravel_index(one, interactions.shape), axis=1) for one in classes)
    )


def _obedient(image: PreparedImage, start: np.ndarray, interactions: Interactions) -> Draft:
    """Return a draft in which every scribbled voxel has the label that the user gave it."""
    draft = Draft(start)
    for box, _ in stroke_groups(interactions.disobeyed(start), image.shape, image.region_size()):
        values = draft.read(box)
        interactions.impose_on(values, box)
        draft.write(box, values)
    return draft


def report(
    progress: Progress | None, cancel: threading.Event | None, *, fraction: float, text: str
) -> None:
    """Tell how far the work is, and stop it when the caller has asked for that.

    Raises:
        Cancelled: ``cancel`` is set.
    """
    stop_if(cancel)
    if progress is not None:
        progress(fraction, text)
