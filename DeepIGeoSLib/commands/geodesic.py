"""Compute the geodesic distance from scribbles."""

from __future__ import annotations

import argparse
import time

from DeepIGeoSLib.commands import common
from DeepIGeoSLib.commands.outputs import check_images
from DeepIGeoSLib.errors import InputError, Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("image", metavar="IMAGE", help="image file or DICOM folder")
    common.add_choice_of_volume(parser)
    parser.add_argument(
        "--seeds",
        required=True,
        metavar="SEEDS",
        help="labelmap on the image's grid, or a Slicer segmentation (.seg.nrrd)",
    )
    parser.add_argument(
        "--segment",
        action="append",
        default=[],
        metavar="SEGMENT",
        help="segment of SEEDS; may be given several times (default: all of them)",
    )
    parser.add_argument(
        "--label", type=int, help="label of the seeds (default: every label above 0)"
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="distance map to write (float32)"
    )
    parser.add_argument(
        "--weight",
        type=float,
        default=1.0,
        help="of intensity differences against mm: 1 is purely geodesic, 0 the shortest path "
        "(default: %(default)s)",
    )
    parser.add_argument("--max-distance", type=float, help="cut the map at this value")
    parser.add_argument("--engine", default="auto", help="solver (default: %(default)s)")


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Compute and write the map."""
    from DeepIGeoSLib import geodesic_distance

    check_images({"-o": arguments.output}, [arguments.image, arguments.seeds])
    [volume] = common.read_images(arguments, [arguments.image])
    labels = volume.read_labels(arguments.seeds, arguments.segment)
    seeds = labels > 0 if arguments.label is None else labels == arguments.label
    if not seeds.any():
        wanted = "above 0" if arguments.label is None else arguments.label
        raise InputError(f"{arguments.seeds} has no voxel with the label {wanted}.")
    progress(0.2, "Computing distances")
    began = time.perf_counter()
    distance = geodesic_distance(
        volume.array,
        seeds,
        volume.spacing,
        weight=arguments.weight,
        max_distance=arguments.max_distance,
        engine=arguments.engine,
    )
    seconds = time.perf_counter() - began
    volume.write_map(arguments.output, distance)
    return {
        "output": arguments.output,
        "seeds": int(seeds.sum()),
        "largest": float(distance.max()),
        "seconds": seconds,
    }


def text(result: dict) -> str:
    """Return what the user reads."""
    return (
        f"{result['output']}: distances up to {result['largest']:.4g} from {result['seeds']} "
        f"seed voxels ({result['seconds']:.2f} s)"
    )
