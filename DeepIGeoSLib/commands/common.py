"""Arguments and steps that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from DeepIGeoSLib.commands.outputs import check_images
from DeepIGeoSLib.errors import InputError

if TYPE_CHECKING:
    from DeepIGeoSLib.bundles import Bundle
    from DeepIGeoSLib.dicom import SegmentationMeaning
    from DeepIGeoSLib.interaction.segmentation import Segmentation
    from DeepIGeoSLib.interaction.session import InteractiveSession
    from DeepIGeoSLib.volume import Volume

DEFAULT_BUNDLE = "flair-whole-tumor"


def add_image(parser: argparse.ArgumentParser) -> None:
    """Add the image argument."""
    parser.add_argument(
        "image",
        nargs="+",
        metavar="IMAGE",
        help="NIfTI, NRRD or MHA file, a picture (PNG, JPEG, ...), or a folder with a DICOM "
        "series; one for each channel, and one picture for red, green and blue",
    )
    add_choice_of_volume(parser)


def add_choice_of_volume(parser: argparse.ArgumentParser) -> None:
    """Add which volume of an image with several is meant."""
    parser.add_argument(
        "--series",
        action="append",
        metavar="SERIES",
        help="which DICOM series of a folder with several: its number in the list that the error "
        "gives, its UID or its description; once for all images, or once for each",
    )
    parser.add_argument(
        "--frame",
        type=int,
        metavar="N",
        help="which volume of a 4D file or series (time points, echoes, ...), from 0",
    )
    parser.add_argument(
        "--component",
        type=int,
        metavar="N",
        help="which component of a color or vector image, from 0",
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the choice of the bundle and of the device."""
    parser.add_argument(
        "--bundle",
        default=DEFAULT_BUNDLE,
        help="name of a shipped model bundle, or a bundle's folder (default: %(default)s)",
    )
    add_device(parser)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the choice of the device."""
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, mps (default: %(default)s)"
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the choice of what runs the networks."""
    parser.add_argument(
        "--engine",
        default="torch",
        help="torch; openvino (where installed; faster on a CPU, after a second of preparation); "
        "openvino-int8 (with the 8-bit networks of a bundle from 'bundles optimize'); auto (torch) "
        "(default: %(default)s)",
    )


def add_crf(parser: argparse.ArgumentParser) -> None:
    """Add the switch of the bundle's CRF-Nets."""
    parser.add_argument(
        "--crf",
        action=argparse.BooleanOptionalAction,
        help="smooth the networks' answers by the bundle's CRF-Nets, or don't (default: as the "
        "bundle recommends)",
    )


def add_memory(parser: argparse.ArgumentParser) -> None:
    """Add the memory budget of the networks."""
    parser.add_argument(
        "--memory",
        type=float,
        metavar="GB",
        help="what the networks may use for their intermediate results; larger volumes are "
        "computed in overlapping tiles (default: half of what is free)",
    )


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Add the output files of a segmentation."""
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="labelmap to write (1 = target), Slicer segmentation (.seg.nrrd), or DICOM "
        "segmentation (.dcm) where the image is DICOM",
    )
    parser.add_argument("--probability", metavar="FILE", help="also write the probability")
    parser.add_argument("--uncertainty", metavar="FILE", help="also write the uncertainty")


def read_images(
    arguments: argparse.Namespace, paths: Sequence[str], channels: Sequence[str] = ()
) -> list[Volume]:
    """Read the images given on the command line, of each the volume that is meant.

    Args:
        arguments: with the choice of the volume.
        paths: of the images.
        channels: names of those that the bundle needs: for them pictures in color are read, which
            are no volume otherwise.

    Raises:
        InputError: an image can't be read, or --series was given another number of times.
    """
    from DeepIGeoSLib import Volume
    from DeepIGeoSLib.data.channels import read_channels

    series = arguments.series or [None]
    if len(series) == 1:
        series = series * len(paths)
    if len(series) != len(paths):
        raise InputError(
            f"--series is given {len(series)} times for {len(paths)} images; give it once for all "
            "or once for each."
        )
    if channels:
        chosen = {"frame": arguments.frame, "component": arguments.component}
        return read_channels(paths, channels, series=series, **chosen)
    return [
        Volume.read(path, series=one, frame=arguments.frame, component=arguments.component)
        for path, one in zip(paths, series, strict=True)
    ]


def open_session(
    arguments: argparse.Namespace, others: Sequence[str | None] = ()
) -> tuple[InteractiveSession, Volume, Bundle]:
    """Return a session with the image given on the command line, its first channel, the model.

    Args:
        arguments: with the image, the outputs, and the choice of the model.
        others: files that the command reads besides, which no output may replace.
    """
    from DeepIGeoSLib import InteractiveSession, load_bundle

    outputs = {
        "-o": arguments.output,
        "--probability": arguments.probability,
        "--uncertainty": arguments.uncertainty,
    }
    check_images(outputs, [*arguments.image, *others], segmented=arguments.image[0])
    if arguments.memory is not None and not arguments.memory > 0:
        raise InputError(f"--memory is {arguments.memory:g}; a positive number is expected.")
    budget = None if arguments.memory is None else int(arguments.memory * 1e9)
    bundle = load_bundle(arguments.bundle)
    volumes = read_images(arguments, arguments.image, bundle.manifest.channels)
    session = InteractiveSession(
        bundle,
        device=arguments.device,
        memory_budget=budget,
        crf=arguments.crf,
        engine=arguments.engine,
    )
    if getattr(arguments, "target", None):
        session.target = arguments.target
    session.set_volume(volumes)
    return session, volumes[0], bundle


def write_outputs(
    arguments: argparse.Namespace,
    volume: Volume,
    segmentation: Segmentation,
    *,
    meaning: SegmentationMeaning,
) -> dict:
    """Write the files that were asked for; return what the command reports."""
    volume.write_labels(arguments.output, segmentation.labels, meaning=meaning)
    if arguments.probability:
        volume.write_map(arguments.probability, segmentation.probability)
    if arguments.uncertainty:
        volume.write_map(arguments.uncertainty, segmentation.uncertainty)
    voxels = int(segmentation.labels.sum())
    return {
        "output": arguments.output,
        "voxels": voxels,
        "milliliters": round(voxels * voxel_milliliters(volume.spacing), 3),
    }


def segmentation_text(result: dict) -> str:
    """Return what the user reads after a segmentation."""
    return (
        f"{result['output']}: {result['voxels']} voxels, {result['milliliters']:.1f} ml "
        f"({result['seconds']:.1f} s)"
    )


def voxel_milliliters(spacing: Sequence[float]) -> float:
    """Return the volume of a voxel of a spacing in mm."""
    k, j, i = spacing
    return k * j * i / 1000
