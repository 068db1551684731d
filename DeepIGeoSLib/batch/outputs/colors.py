"""Names and colors of several targets, for labelmaps that keep numbers alone."""

from __future__ import annotations

from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.formats.segmentation import SEGMENTATION_ENDINGS
from DeepIGeoSLib.interaction.target_files import color_table

# A color table of 3D Slicer, for all labelmaps of the run.
COLORS = "labels.ctbl"

# What holds names itself.
_NAMED = (*SEGMENTATION_ENDINGS, ".dcm")


def write_color_table(order: WorkOrder) -> None:
    """Write the color table of a run with several targets, where its format needs one.

    Raises:
        InputError: it can't be written.
    """
    if order.settings.format in _NAMED:
        return
    with written_in_one_step(order.output / COLORS) as temporary:
        try:
            temporary.write_text(color_table(order.targets), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{order.output / COLORS} can't be written: {error}.") from error
