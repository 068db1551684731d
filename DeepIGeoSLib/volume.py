"""Volume: voxels and their place in the patient, and the files they come from and go to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step

if TYPE_CHECKING:
    import SimpleITK

# ITK stores physical points as LPS (left, posterior, superior), Slicer as RAS.
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

# Grids whose matrices differ by less than this (mm over one voxel step) are the same grid: NIfTI
# stores its matrix in single precision, so a round trip alone moves it by about 1e-5.
_GRID_TOLERANCE = 1e-3


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

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (k, j, i)."""
        return self.array.shape

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distances between voxel centers along (k, j, i), in mm."""
        i, j, k = np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)
        return (float(k), float(j), float(i))

    @classmethod
    def read(cls, path: str | Path, *, frame: int | None = None) -> Volume:
        """Read a scalar image (NIfTI, NRRD, MHA, ...) or a folder with one DICOM series.

        Args:
            path: file or folder.
            frame: which volume of a 4D file, such as one of several modalities; counted from 0.

        Raises:
            InputError: the file is missing or can't be read, has a time axis (and no frame is
                given) or several components, or its voxels or geometry are unusable (see
                ``Volume``).
        """
        image = _read_image(Path(path))
        if frame is not None:
            image = _frame_of(image, frame, str(path))
        volume = cls(_array_of(image, str(path)), ijk_to_ras=_matrix_of(image), name=str(path))
        volume._file_dimension = image.GetDimension()
        return volume

    def read_labels(self, path: str | Path) -> np.ndarray:
        """Read a labelmap that lies on this volume's grid.

        Returns:
            int32 labels, axes (k, j, i).

        Raises:
            InputError: the file can't be read, holds other than whole numbers, or lies on another
                grid.
        """
        image = _read_image(Path(path))
        labels = _array_of(image, str(path))
        self._check_same_grid(labels.shape, _matrix_of(image), str(path))
        if not np.array_equal(labels, np.round(labels)):
            raise InputError(f"{path} holds values that are not whole numbers; labels expected.")
        return labels.astype(np.int32)

    def write_labels(self, path: str | Path, labels: np.ndarray) -> None:
        """Write labels on this volume's grid as unsigned bytes.

        The file appears whole or not at all: it is written beside its place and then renamed.

        Args:
            path: where to; the ending chooses the format.
            labels: bool or whole numbers 0..255, axes (k, j, i), the volume's shape.

        Raises:
            InputError: another shape, values that don't fit, an unknown format, or a folder that
                can't be written to.
        """
        labels = self._checked_shape(labels, "labels")
        as_bytes = labels.astype(np.uint8)
        if not np.array_equal(as_bytes, labels):
            raise InputError("labels must be whole numbers from 0 to 255.")
        self._write(Path(path), as_bytes)

    def write_map(self, path: str | Path, values: np.ndarray) -> None:
        """Write a real-valued map (a probability, a distance) on this volume's grid, as float32.

        Raises:
            InputError: as ``write_labels``.
        """
        self._write(Path(path), self._checked_shape(values, "values").astype(np.float32))

    def same_grid(self, other: Volume) -> bool:
        """Whether ``other`` has the same shape and the same place."""
        return self.shape == other.shape and _matrices_agree(
            self.ijk_to_ras, other.ijk_to_ras, self.shape
        )

    def _checked_shape(self, array: np.ndarray, what: str) -> np.ndarray:
        array = np.asarray(array)
        if array.shape != self.shape:
            raise InputError(
                f"{what} have the shape {array.shape}, but {self.name} has {self.shape} (k, j, i)."
            )
        return array

    def _check_same_grid(self, shape: tuple[int, ...], matrix: np.ndarray, name: str) -> None:
        if shape != self.shape:
            raise InputError(
                f"{name} has the shape {shape}, but {self.name} has {self.shape} (k, j, i)."
            )
        if not _matrices_agree(matrix, self.ijk_to_ras, self.shape):
            raise InputError(
                f"{name} lies elsewhere than {self.name}: origin, spacing or direction differ."
            )

    def _write(self, path: Path, array: np.ndarray) -> None:
        import SimpleITK

        image = self._to_image(array)
        with written_in_one_step(path) as temporary:
            try:
                SimpleITK.WriteImage(image, str(temporary), useCompression=True)
            except RuntimeError as error:
                raise InputError(f"{path} can't be written: {_last_line(error)}") from error

    def _to_image(self, array: np.ndarray) -> SimpleITK.Image:
        import SimpleITK

        dimension = self._file_dimension
        image = SimpleITK.GetImageFromArray(array if dimension == 3 else array[0])
        matrix = _LPS_TO_RAS @ self.ijk_to_ras
        spacing = np.linalg.norm(matrix[:3, :3], axis=0)
        direction = matrix[:3, :3] / spacing
        image.SetSpacing(spacing[:dimension].tolist())
        image.SetDirection(direction[:dimension, :dimension].ravel().tolist())
        image.SetOrigin(matrix[:dimension, 3].tolist())
        return image


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
    voxels = np.array(array, dtype=np.float32, order="C")
    bad = voxels.size - int(np.count_nonzero(np.isfinite(voxels)))
    if bad:
        raise InputError(f"{name} holds NaN or infinite values in {bad} of {voxels.size} voxels.")
    return voxels


def _checked_matrix(
    spacing: tuple[float, float, float] | None, matrix: np.ndarray | None, name: str
) -> np.ndarray:
    if spacing is not None:
        spacing = tuple(float(s) for s in spacing)
        if len(spacing) != 3 or not all(np.isfinite(s) and s > 0 for s in spacing):
            raise InputError(
                f"{name} has the spacing {spacing}; three positive numbers (k, j, i) in mm "
                "are expected."
            )
    if matrix is None:
        k, j, i = spacing or (1.0, 1.0, 1.0)
        return np.diag([i, j, k, 1.0])
    matrix = np.array(matrix, dtype=np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise InputError(f"{name} needs a finite 4 x 4 ijk_to_ras matrix.")
    if abs(np.linalg.det(matrix[:3, :3])) < 1e-12:
        raise InputError(f"{name} has a singular ijk_to_ras matrix: an axis has no length.")
    if spacing is not None:
        lengths = np.linalg.norm(matrix[:3, :3], axis=0)[::-1]
        if not np.allclose(lengths, spacing, rtol=1e-4):
            raise InputError(
                f"{name} has the spacing {spacing}, but its matrix says "
                f"{tuple(round(float(s), 6) for s in lengths)} (k, j, i)."
            )
    return matrix


def _matrices_agree(a: np.ndarray, b: np.ndarray, shape: tuple[int, int, int]) -> bool:
    """Whether two grids put every voxel within a thousandth of a millimeter per voxel step."""
    scale = max(1.0, *shape)
    return bool(
        np.allclose(a[:3, :3], b[:3, :3], rtol=0, atol=_GRID_TOLERANCE)
        and np.allclose(a[:3, 3], b[:3, 3], rtol=0, atol=_GRID_TOLERANCE * scale)
    )


def _read_image(path: Path) -> SimpleITK.Image:
    import SimpleITK

    if not path.exists():
        raise InputError(f"{path} does not exist.")
    try:
        if path.is_dir():
            return _read_dicom_folder(path)
        return SimpleITK.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(f"{path} can't be read as an image: {_last_line(error)}") from error


def read_layers(path: str | Path) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Read a 3D image whose voxels have one or more components, and what its header says.

    Returns:
        The voxels, axes (component, k, j, i); the 4 x 4 ijk_to_ras; texts of the header by key.

    Raises:
        InputError: the file is missing, can't be read, or is not 3D.
    """
    import SimpleITK

    image = _read_image(Path(path))
    if image.GetDimension() != 3:
        raise InputError(f"{path} is {image.GetDimension()}D; a 3D image is expected.")
    array = SimpleITK.GetArrayFromImage(image)
    several = image.GetNumberOfComponentsPerPixel() > 1
    layers = np.moveaxis(array, -1, 0) if several else array[np.newaxis]
    header = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    return layers, _matrix_of(image), header


def _frame_of(image: SimpleITK.Image, frame: int, name: str) -> SimpleITK.Image:
    frames = image.GetSize()[3] if image.GetDimension() == 4 else 1
    if not 0 <= frame < frames:
        raise InputError(f"{name} has {frames} frame(s); there is no frame {frame}.")
    return image[:, :, :, frame] if image.GetDimension() == 4 else image


def _read_dicom_folder(path: Path) -> SimpleITK.Image:
    import SimpleITK

    series = SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(str(path))
    if not series:
        raise InputError(f"{path} is a folder without DICOM files.")
    if len(series) > 1:
        raise InputError(
            f"{path} holds {len(series)} DICOM series ({', '.join(series)}); put one in a folder."
        )
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(path), series[0]))
    return reader.Execute()


def _array_of(image: SimpleITK.Image, name: str) -> np.ndarray:
    """Return the voxels of a scalar 2D or 3D image, axes (k, j, i)."""
    import SimpleITK

    components = image.GetNumberOfComponentsPerPixel()
    if components > 1:
        raise InputError(
            f"{name} has {components} components per voxel (color?); one gray value is expected."
        )
    if image.GetDimension() not in (2, 3):
        raise InputError(
            f"{name} is {image.GetDimension()}D with the size {image.GetSize()}; a 3D volume is "
            "expected. Save the frame you mean as a volume of its own."
        )
    array = SimpleITK.GetArrayFromImage(image)
    return array if array.ndim == 3 else array[np.newaxis]


def _matrix_of(image: SimpleITK.Image) -> np.ndarray:
    """Return the 4 x 4 ijk_to_ras of an image; a 2D one gets a third axis of 1 mm."""
    dimension = image.GetDimension()
    direction = np.eye(3)
    direction[:dimension, :dimension] = np.reshape(image.GetDirection(), (dimension, dimension))
    spacing, origin = np.ones(3), np.zeros(3)
    spacing[:dimension] = image.GetSpacing()
    origin[:dimension] = image.GetOrigin()
    matrix = np.eye(4)
    matrix[:3, :3] = direction * spacing
    matrix[:3, 3] = origin
    return _LPS_TO_RAS @ matrix


def _last_line(error: Exception) -> str:
    """Return the last line of an ITK message: the lines before it name source files."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
