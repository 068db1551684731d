"""The files of a case: all of them in their places, or none."""

from DeepIGeoSLib.batch.outputs.colors import write_color_table
from DeepIGeoSLib.batch.outputs.derivatives import describe_data_set
from DeepIGeoSLib.batch.outputs.files import remove_unfinished, write_case
from DeepIGeoSLib.batch.outputs.paths import (
    PICTURE,
    format_of,
    is_derivative,
    output_paths,
)

__all__ = [
    "PICTURE",
    "describe_data_set",
    "format_of",
    "is_derivative",
    "output_paths",
    "remove_unfinished",
    "write_case",
    "write_color_table",
]
