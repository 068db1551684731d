"""Outputs of a command, checked before any work: none may replace an input or another output."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import check_output_file, same_file


def check_images(
    outputs: Mapping[str, str | None],
    inputs: Iterable[str | Path | None],
    *,
    segmented: str | None = None,
) -> None:
    """Check the image files that a command is to write.

    Args:
        outputs: paths by the options that name them; None where one is not given.
        inputs: files and folders that the command reads; None where one is not given.
        segmented: the image of which "-o" is a segmentation, which may then be a DICOM one; None
            where it is something else.

    Raises:
        InputError: a file can't be written, is an input or another output too, or its format does
            not keep the grid.
    """
    from DeepIGeoSLib.dicom.segmentation_writer import ENDING as DICOM_ENDING
    from DeepIGeoSLib.dicom.segmentation_writer import check_segmentation_output
    from DeepIGeoSLib.formats.reading import files_of
    from DeepIGeoSLib.formats.writing import check_format

    given = {option: path for option, path in outputs.items() if path is not None}
    read = [file for path in inputs if path is not None for file in files_of(Path(path))]
    for option, path in given.items():
        check_output_file(path)
        if option == "-o" and segmented and Path(path).name.lower().endswith(DICOM_ENDING):
            check_segmentation_output(Path(path), Path(segmented))
        else:
            check_format(Path(path))
        _check_no_input(option, path, read)
    options = list(given)
    for number, option in enumerate(options):
        for other in options[:number]:
            if same_file(given[option], given[other]):
                raise InputError(f"{other} and {option} name the same file, {given[option]}.")


def check_folder(
    folder: str | Path, names: Iterable[str], inputs: Iterable[str | Path | None]
) -> None:
    """Check the folder that a command is to write files into.

    Args:
        folder: is made by the command if it does not exist.
        names: of the files.
        inputs: files that the command reads; None where one is not given.

    Raises:
        InputError: it is no folder, there is none to make it in, or one of the files can't be
            written or is an input too.
    """
    folder = Path(folder)
    if not os.path.isdir(folder):
        if not os.path.isdir(folder.absolute().parent):
            raise InputError(f"The folder {folder.absolute().parent} does not exist.")
        if os.path.lexists(folder):
            raise InputError(f"{folder} is a file; a folder is expected.")
        return
    read = [path for path in inputs if path]
    for name in names:
        check_output_file(folder / name)
        _check_no_input("-o", folder / name, read)


def _check_no_input(option: str, path: str | Path, inputs: Iterable[str | Path]) -> None:
    for given in inputs:
        if same_file(path, given):
            raise InputError(
                f"{option} would replace the input {given}; give the result another name."
            )
