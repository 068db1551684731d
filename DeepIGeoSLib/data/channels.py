"""The image channels that a bundle needs, from the files of a case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from DeepIGeoSLib.formats.colors import are_colors
from DeepIGeoSLib.formats.pictures import is_picture
from DeepIGeoSLib.volume import Volume


def files_wanted(channels: Sequence[str]) -> tuple[str, ...]:
    """Return what each file of a case is: a channel, or a picture with all three colors."""
    return ("color picture",) if are_colors(channels) else tuple(channels)


def read_channels(
    paths: Sequence[str | Path],
    channels: Sequence[str],
    *,
    series: Sequence[str | int | None],
    frame: int | None = None,
    component: int | None = None,
) -> list[Volume]:
    """Read the channels of a case.

    One picture gives all channels of a bundle for colors; for a bundle of one channel a color
    picture becomes its brightness, as in the training.

    Args:
        paths: a file or DICOM folder for each channel.
        channels: names of the channels that the bundle needs.
        series: as for ``Volume.read``, for each path.
        frame: as for ``Volume.read``.
        component: as for ``Volume.read``; a picture is then not taken as above.

    Raises:
        InputError: as ``Volume.read``.
    """
    if component is None and len(paths) == 1 and are_colors(channels):
        return Volume.read_colors(paths[0])
    return [
        Volume.read(
            path,
            series=one,
            frame=frame,
            component="brightness" if component is None and is_picture(Path(path)) else component,
        )
        for path, one in zip(paths, series, strict=True)
    ]
