"""Volume: voxels and their place in the patient, and the files they come from and go to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from DeepIGeoSLib.dicom import SegmentationMeaning, is_dicom, read_dicom
from DeepIGeoSLib.dicom.segmentation_reader import is_dicom_segmentation, read_segmentation
from DeepIGeoSLib.dicom.segmentation_writer import ENDING as DICOM_ENDING
from DeepIGeoSLib.dicom.segmentation_writer import check_segmentation_output, write_segmentation
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import same_file
from DeepIGeoSLib.formats.colors import COLORS, brightness, gray_component
from DeepIGeoSLib.formats.pictures import is_picture, palette_numbers
from DeepIGeoSLib.formats.reading import StoredImage, read_image
from DeepIGeoSLib.formats.segmentation import (
    SEGMENTATION_ENDINGS,
    NamedMask,
    header_of,
    is_segmentation,
    layers_of,
    segments_mask,
)
from DeepIGeoSLib.formats.writing import write_image
from DeepIGeoSLib.grid.lattice import Placement, placement

# An axis is no axis when it lies this close to the plane of the others: the volume of the unit
# axes' box, which is 1 for axes at right angles.
_FLAT = 1e-4

# How many objects 8 and 16 bits can number.
_MOST_IN_A_BYTE, _MOST_OBJECTS = 255, 65535


class Volume:
    """A scalar image and its geometry.

    Attributes:
        array: float32 voxels, axes (k, j, i), shape (slices, rows, columns); owned by the volume.
        spacing: distances between voxel centers along (k, j, i), in mm.
        ijk_to_ras: 4 x 4 matrix from (i, j, k, 1) to (right, anterior, superior, 1), in mm.
        name: how error messages call the volume; the path when it was read from a file.
    """

    def __init__(
        self,
        array: np.ndarray,
        *,
        spacing: tuple[float, float, float] | None = None,
        ijk_to_ras: np.ndarray | None = None,
        name: str = "volume",
    ) -> None:
        """Take voxels and geometry.

        Args:
            array: real numbers, axes (k, j, i).
            spacing: mm along (k, j, i); 1 mm when neither it nor ``ijk_to_ras`` is given.
            ijk_to_ras: 4 x 4; when only the spacing is given, the axes (i, j, k) point right,
                anterior and superior from the origin.
            name: for error messages.

        Raises:
            InputError: not three axes, no voxels, NaN or infinite values, a spacing that is not
                positive or contradicts the matrix, or a singular matrix.
        """
        self.name = name
        self.array = _checked_voxels(array, name)
        self.ijk_to_ras = _checked_matrix(spacing, ijk_to_ras, name)
        self._file_dimension = 3
        self._source: Path | None = None
        self._chosen: dict[str, Any] = {}  # series and frame of the DICOM that it was read from

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (k, j, i)."""
        return self.array.shape

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distances between voxel centers along (k, j, i), in mm."""
        i, j, k = np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)
        return (float(k), float(j), float(i))

    @property
    def is_picture(self) -> bool:
        """Whether it was read from a picture (PNG, JPEG, ...), which lies in no patient."""
        return self._source is not None and is_picture(self._source)

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        frame: int | None = None,
        component: int | Literal["brightness"] | None = None,
        series: str | int | None = None,
    ) -> Volume:
        """Read an image (NIfTI, NRRD, MHA, ...), or a DICOM file or folder.

        Gray that is stored as color is read as gray.

        Args:
            path: file or folder.
            frame: which volume of a 4D file or series, such as one of several modalities or time
                points; counted from 0.
            component: which number of each voxel of a color or vector image, counted from 0; or
                the brightness of a color picture.
            series: which DICOM series of a folder with several; see ``dicom.read_dicom``.

        Raises:
            InputError: the file is missing, damaged or can't be read, has several frames, series or
                different components (and none is chosen), or its voxels or geometry are unusable
                (see ``Volume``).
        """
        path = Path(path)
        chosen = {}
        if is_dicom(path):
            chosen = {"series": series, "frame": frame}
            stored, frame = _stored_dicom(path, series, frame), None
        elif series is not None:
            raise InputError(f"{path} is not DICOM, so it has no series {series!r}.")
        else:
            stored = read_image(path)
        array = _chosen_component(_chosen_frame(stored.array, frame, path), component, path)
        volume = cls._of_stored(array, stored, path)
        volume._chosen = chosen
        return volume

    @classmethod
    def read_colors(cls, path: str | Path) -> list[Volume]:
        """Read a color picture (PNG, JPEG, ...) as three volumes: red, green and blue.

        A gray picture gives the same one three times; opacity is passed over.

        Raises:
            InputError: it can't be read, or is no picture in colors or in gray.
        """
        path = Path(path)
        if is_dicom(path) or not is_picture(path):
            raise InputError(f"{path} is no picture; the bundle's channels are those of colors.")
        stored = read_image(path)
        array = _chosen_frame(stored.array, None, path)
        count = len(COLORS) if array.shape[-1] >= len(COLORS) else 1
        channels = [cls._of_stored(array[..., number], stored, path) for number in range(count)]
        return channels if count > 1 else channels * len(COLORS)

    @classmethod
    def _of_stored(cls, array: np.ndarray, stored: StoredImage, path: Path) -> Volume:
        """Return a volume of some of the voxels of a file."""
        volume = cls(array, ijk_to_ras=stored.ijk_to_ras, name=str(path))
        volume._file_dimension, volume._source = stored.dimension, path
        return volume

    def read_labels(self, path: str | Path, segments: Sequence[str] = ()) -> np.ndarray:
        """Read labels that lie on this volume's voxels, in whichever axis order they are stored.

        Args:
            path: a labelmap with exactly this volume's voxels; or a Slicer segmentation
                (.seg.nrrd) or DICOM segmentation (.dcm), whose box may be smaller. Of a label
                picture with a palette, its numbers count, not its colors.
            segments: which segments of a segmentation, by name or ID; all of them when empty.

        Returns:
            Labels, axes (k, j, i), int32, or int64 where one does not fit: those of the labelmap,
            or 1 in the segments.

        Raises:
            InputError: the file can't be read, holds other than whole numbers, lies on other
                voxels, or has no such segment.
        """
        path = Path(path)
        if is_dicom(path) and is_dicom_segmentation(path):
            mask = read_segmentation(path, self.shape, self.ijk_to_ras, names=segments)
            return mask.astype(np.int32)
        stored = _stored_dicom(path) if is_dicom(path) else _stored_labels(path)
        if is_segmentation(path, stored):
            return self.segments_of(stored, segments, path).astype(np.int32)
        if segments:
            raise InputError(f"{path} is a labelmap and has no segments to choose by name.")
        array = _chosen_component(_chosen_frame(stored.array, None, path), None, path)
        labels = _whole_numbers(array, str(path))
        place = self._placement_of(stored.ijk_to_ras, labels.shape, str(path))
        return np.ascontiguousarray(place.turned(labels))

    def segments_of(
        self, stored: StoredImage, names: Sequence[str], path: str | Path
    ) -> np.ndarray:
        """Return which voxels of this volume lie in segments of a segmentation that was read.

        Args:
            stored: see ``formats.segmentation``.
            names: of the segments (names, or IDs); all of them when empty.
            path: how to name the file.

        Returns:
            bool, axes (k, j, i), the volume's shape.

        Raises:
            InputError: there is no such segment, the file lies on another lattice, or has voxels of
                the segments outside of this volume.
        """
        inside = segments_mask(stored, names, str(path))
        place = placement(stored.ijk_to_ras, inside.shape, self.ijk_to_ras)
        if place is None:
            raise InputError(
                f"{path} lies on another lattice than {self.name}; in Slicer, set the volume as "
                "the segmentation's source geometry (Segment Editor) and save it again."
            )
        places = np.argwhere(place.turned(inside)) + place.offset
        within = np.all((places >= 0) & (places < self.shape), axis=1)
        if not within.all():
            raise InputError(
                f"{path} has {np.count_nonzero(~within)} voxels of the segments outside of "
                f"{self.name}."
            )
        result = np.zeros(self.shape, dtype=bool)
        result[tuple(places.T)] = True
        return result

    def aligned(self, other: Volume) -> Volume:
        """Return a volume that has this one's voxels, along this one's axes.

        Args:
            other: an image of the same voxels, such as another channel; it is returned itself
                where it is stored in the same order.

        Raises:
            InputError: it lies on other voxels.
        """
        place = self._placement_of(other.ijk_to_ras, other.shape, other.name)
        if place.is_identity:
            return other
        return Volume(place.turned(other.array), ijk_to_ras=self.ijk_to_ras, name=other.name)

    def write_labels(
        self, path: str | Path, labels: np.ndarray, *, meaning: SegmentationMeaning | None = None
    ) -> None:
        """Write labels on this volume's grid as unsigned bytes.

        The file appears whole or not at all: it is written beside its place, read back, and then
        renamed.

        Args:
            path: where to; the ending chooses the format: a labelmap (.nii.gz, .nii, .nrrd, .mha);
                a Slicer segmentation (.seg.nrrd) with a segment for each label; or, of a volume
                that was read from DICOM, a DICOM segmentation (.dcm) with the same.
            labels: bool or whole numbers 0..255, axes (k, j, i), the volume's shape.
            meaning: what a DICOM segmentation says of its segments and of what made them.

        Raises:
            InputError: another shape, values that don't fit, a format that is unknown or can't
                keep the grid, a DICOM segmentation of what was not read from DICOM, the file that
                this volume was read from, or a folder that can't be written to.
        """
        labels = self._checked_shape(labels, "labels")
        if labels.dtype.kind not in "fiub" or not ((labels >= 0) & (labels <= 255)).all():
            raise InputError("labels must be whole numbers from 0 to 255.")
        as_bytes = labels.astype(np.uint8)
        if not np.array_equal(as_bytes, labels):
            raise InputError("labels must be whole numbers from 0 to 255.")
        path = Path(path)
        if path.name.lower().endswith(DICOM_ENDING):
            # An empty segmentation is a segment without voxels: none at all is not allowed.
            present = [int(label) for label in np.unique(as_bytes) if label > 0] or [1]
            self._write_dicom(path, {label: as_bytes == label for label in present}, meaning)
            return
        is_segments = path.name.lower().endswith(SEGMENTATION_ENDINGS)
        self._write(path, as_bytes, header_of(as_bytes) if is_segments else None)

    def write_numbers(
        self, path: str | Path, numbers: np.ndarray, *, meaning: SegmentationMeaning | None = None
    ) -> None:
        """Write the number of an object at each voxel, in 16 bits where there are more than 255.

        Args:
            path: as for ``write_labels``; more than 255 objects are no DICOM segmentation here.
            numbers: whole numbers 0..65535, axes (k, j, i), the volume's shape; 0 is no object.
            meaning: as for ``write_labels``.

        Raises:
            InputError: as ``write_labels``.
        """
        numbers = self._checked_shape(numbers, "numbers")
        most = int(numbers.max())
        if most <= _MOST_IN_A_BYTE:
            self.write_labels(path, numbers, meaning=meaning)
            return
        path = Path(path)
        if most > _MOST_OBJECTS or path.name.lower().endswith(DICOM_ENDING):
            limit = _MOST_IN_A_BYTE if most <= _MOST_OBJECTS else _MOST_OBJECTS
            raise InputError(f"{path} can't hold {most} objects, but {limit} at most.")
        is_segments = path.name.lower().endswith(SEGMENTATION_ENDINGS)
        values = numbers.astype(np.uint16)
        self._write(path, values, header_of(values) if is_segments else None)

    def _write_dicom(
        self, path: Path, masks: Mapping[int, np.ndarray], meaning: SegmentationMeaning | None
    ) -> None:
        from DeepIGeoSLib import __version__

        if self._source is None:
            raise InputError(
                f"{path} can't be written: a DICOM segmentation refers to the series that it was "
                f"made of, and {self.name} was not read from a file."
            )
        check_segmentation_output(path, self._source)
        if same_file(path, self._source) or same_file(path.parent, self._source):
            raise InputError(
                f"{path} would lie among the slices of the image; choose another place."
            )
        write_segmentation(
            path,
            masks,
            self._source,
            **self._chosen,
            meaning=meaning,
            software_version=__version__,
        )

    def write_segments(
        self,
        path: str | Path,
        masks: Sequence[NamedMask],
        *,
        meaning: SegmentationMeaning | None = None,
    ) -> None:
        """Write segments as a Slicer or DICOM segmentation on this volume's grid.

        Args:
            path: where to, ending in .seg.nrrd (with names and colors), or in .dcm for a volume
                that was read from DICOM.
            masks: at least one, each of the volume's shape. They may overlap.
            meaning: what a DICOM segmentation says of them, by their places in ``masks`` from 1 on.

        Raises:
            InputError: as ``write_labels``, or another ending.
        """
        path = Path(path)
        for mask in masks:
            self._checked_shape(mask.inside, f"the voxels of {mask.name}")
        if path.name.lower().endswith(DICOM_ENDING):
            inside = {number: mask.inside for number, mask in enumerate(masks, 1)}
            self._write_dicom(path, inside, meaning)
            return
        if not path.name.lower().endswith(SEGMENTATION_ENDINGS):
            raise InputError(f"{path} can't hold segments; a name that ends in .seg.nrrd can.")
        layers, header = layers_of(masks)
        self._write(path, layers[..., 0] if layers.shape[-1] == 1 else layers, header)

    def write_map(self, path: str | Path, values: np.ndarray) -> None:
        """Write a real-valued map (a probability, a distance) on this volume's grid, as float32.

        Raises:
            InputError: as ``write_labels``; the values must be finite.
        """
        values = self._checked_shape(values, "values")
        self._write(Path(path), _as_float32(values, "values"))

    def same_grid(self, other: Volume) -> bool:
        """Whether ``other`` has the same shape and the same place."""
        place = placement(other.ijk_to_ras, other.shape, self.ijk_to_ras)
        return self.shape == other.shape and place is not None and place.is_identity

    def _checked_shape(self, array: np.ndarray, what: str) -> np.ndarray:
        array = np.asarray(array)
        if array.shape != self.shape:
            raise InputError(
                f"{what} have the shape {array.shape}, but {self.name} has {self.shape} (k, j, i)."
            )
        return array

    def _placement_of(
        self, matrix: np.ndarray, shape: tuple[int, int, int], name: str
    ) -> Placement:
        """Return how an array lies on this volume's voxels; it must have exactly these."""
        place = placement(matrix, shape, self.ijk_to_ras)
        if place is not None and place.covers(shape, self.shape):
            return place
        if sorted(shape) != sorted(self.shape):
            raise InputError(
                f"{name} has the shape {shape}, but {self.name} has {self.shape} (k, j, i)."
            )
        raise InputError(
            f"{name} lies elsewhere than {self.name}: origin, spacing or direction differ."
        )

    def _write(self, path: Path, array: np.ndarray, header: dict[str, str] | None = None) -> None:
        if self._source is not None and same_file(path, self._source):
            raise InputError(f"{path} is the image itself; it is not replaced by a result.")
        dimension = 3 if header else self._file_dimension
        write_image(path, array, self.ijk_to_ras, dimension=dimension, header=header)


def _checked_voxels(array: np.ndarray, name: str) -> np.ndarray:
    array = np.asarray(array)
    if array.ndim != 3:
        raise InputError(
            f"{name} has {array.ndim} axes of lengths {array.shape}; a scalar volume with the axes "
            "(k, j, i) is expected."
        )
    if array.size == 0:
        raise InputError(f"{name} is empty: its shape is {array.shape}.")
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} holds {array.dtype} values; real numbers are expected.")
    return _as_float32(array, name)


def _as_float32(array: np.ndarray, name: str) -> np.ndarray:
    """Return a copy in single precision.

    Raises:
        InputError: a value is not finite, or not in float32.
    """
    with np.errstate(over="ignore"):
        voxels = np.array(array, dtype=np.float32, order="C")
    bad = voxels.size - int(np.count_nonzero(np.isfinite(voxels)))
    if bad and np.isfinite(array).all():
        raise InputError(f"{name} holds values beyond those of float32 in {bad} voxels.")
    if bad:
        raise InputError(f"{name} holds NaN or infinite values in {bad} of {voxels.size} voxels.")
    return voxels


def _whole_numbers(array: np.ndarray, name: str) -> np.ndarray:
    """Return labels as int32, or as int64 where one of them does not fit."""
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} holds {array.dtype} values; labels are expected.")
    if array.dtype.kind == "f":
        bad = array.size - int(np.count_nonzero(np.isfinite(array)))
        if bad:
            raise InputError(
                f"{name} holds NaN or infinite values in {bad} of {array.size} voxels."
            )
        if not np.array_equal(array, np.rint(array)):
            raise InputError(f"{name} holds values that are not whole numbers; labels expected.")
    least, most = int(array.min()), int(array.max())
    if least < -(2**63) or most >= 2**63:
        raise InputError(f"{name} holds labels beyond 64 bits, such as {most}.")
    small = least >= -(2**31) and most < 2**31
    return array.astype(np.int32 if small else np.int64)


def _checked_matrix(
    spacing: tuple[float, float, float] | None, matrix: np.ndarray | None, name: str
) -> np.ndarray:
    if spacing is not None:
        given = tuple(float(s) for s in spacing)
        if len(given) != 3 or not all(np.isfinite(s) and s > 0 for s in given):
            raise InputError(
                f"{name} has the spacing {given}; three positive numbers (k, j, i) in mm "
                "are expected."
            )
    if matrix is None:
        k, j, i = spacing or (1.0, 1.0, 1.0)
        return np.diag([i, j, k, 1.0])
    matrix = np.array(matrix, dtype=np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise InputError(f"{name} needs a finite 4 x 4 ijk_to_ras matrix.")
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    if not (lengths > 0).all() or abs(np.linalg.det(matrix[:3, :3] / lengths)) < _FLAT:
        raise InputError(
            f"{name} has a singular ijk_to_ras matrix: an axis has no length, or lies in the "
            "plane of the others."
        )
    if not np.array_equal(matrix[3], [0, 0, 0, 1]):
        raise InputError(f"{name} has an ijk_to_ras matrix whose last row is not 0, 0, 0, 1.")
    if spacing is not None:
        lengths = lengths[::-1]
        if not np.allclose(lengths, spacing, rtol=1e-4, atol=0):
            raise InputError(
                f"{name} has the spacing {spacing}, but its matrix says "
                f"{tuple(round(float(s), 6) for s in lengths)} (k, j, i)."
            )
    return matrix


def _stored_dicom(
    path: Path, series: str | int | None = None, frame: int | None = None
) -> StoredImage:
    array, matrix = read_dicom(path, series=series, frame=frame)
    return StoredImage(array[np.newaxis, ..., np.newaxis], matrix, dimension=3)


def _stored_labels(path: Path) -> StoredImage:
    """Return what a labelmap holds; the numbers of a picture with a palette, not its colors."""
    stored = read_image(path)
    numbers = palette_numbers(path)
    if numbers is None:
        return stored
    return replace(stored, array=numbers.reshape((1, 1, *numbers.shape, 1)))


def _chosen_frame(array: np.ndarray, frame: int | None, path: Path) -> np.ndarray:
    """Return one frame of an array with the axes (frame, k, j, i, component)."""
    frames = len(array)
    if frame is None and frames > 1:
        raise InputError(
            f"{path} is 4D with {frames} frames; a 3D volume is expected. Choose a frame by its "
            "number, counted from 0."
        )
    if not 0 <= (frame or 0) < frames:
        raise InputError(f"{path} has {frames} frame(s); there is no frame {frame}.")
    return array[frame or 0]


def _chosen_component(array: np.ndarray, component: int | str | None, path: Path) -> np.ndarray:
    """Return one component of an array with the axes (k, j, i, component)."""
    if component == "brightness":
        return brightness(array)
    count = array.shape[-1]
    chosen = gray_component(array) if component is None else int(component)
    if chosen is None:
        raise InputError(
            f"{path} has {count} components per voxel (color?); one gray value is expected. Choose "
            "a component by its number, counted from 0."
        )
    if not 0 <= chosen < count:
        raise InputError(f"{path} has {count} component(s); there is no component {chosen}.")
    return array[..., chosen]
