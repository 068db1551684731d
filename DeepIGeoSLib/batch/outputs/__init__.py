"""The files of a case: all of them in their places, or none."""

from DeepIGeoSLib.batch.outputs.files import output_paths, remove_unfinished, write_case

__all__ = ["output_paths", "remove_unfinished", "write_case"]
