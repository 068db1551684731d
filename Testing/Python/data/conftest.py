"""Small data sets in every layout, written anew for each test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import Volume
from DeepIGeoSLib.data import DataSettings
from DeepIGeoSLib.settings import from_mapping

SHAPE = (5, 16, 18)
LESION = (slice(1, 4), slice(4, 9), slice(6, 12))


@pytest.fixture
def oblique() -> np.ndarray:
    """The ijk_to_ras of slices of 3 mm that are tilted, with axes left, posterior, superior."""
    angle = 0.3
    turn = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ np.diag([-1, -1, 1]) * np.array([0.9, 0.9, 3.0])
    matrix[:3, 3] = (10, -20, 30)
    return matrix


@pytest.fixture
def head(oblique: np.ndarray) -> Callable[[int], Volume]:
    """A noisy volume with a bright box; another one for every number."""

    def make(seed: int = 0) -> Volume:
        random = np.random.default_rng(seed)
        array = random.normal(100, 5, SHAPE).astype(np.float32)
        array[LESION] += 80
        return Volume(array, ijk_to_ras=oblique, name=f"head {seed}")

    return make


@pytest.fixture
def lesion() -> np.ndarray:
    """Where the bright box is: 1 in its lower slices, 2 in the highest one."""
    labels = np.zeros(SHAPE, dtype=np.uint8)
    labels[LESION] = 1
    labels[3][labels[3] > 0] = 2
    return labels


@pytest.fixture
def write_pair(head: Callable[[int], Volume], lesion: np.ndarray) -> Callable[..., None]:
    """Write an image and its labels, making folders as needed."""

    def write(image: Path, label: Path, seed: int = 0, labels: np.ndarray | None = None) -> None:
        volume = head(seed)
        for path in (image, label):
            path.parent.mkdir(parents=True, exist_ok=True)
        volume.write_map(image, volume.array)
        volume.write_labels(label, lesion if labels is None else labels)

    return write


@pytest.fixture
def pairs(tmp_path: Path, write_pair: Callable[..., None]) -> Path:
    """A data root with the data set "heads": folders images and labels with six pairs."""
    for number in range(6):
        name = f"p{number // 2}_{number % 2}.nii.gz"
        folder = tmp_path / "heads"
        write_pair(folder / "images" / name, folder / "labels" / name, number)
    return tmp_path


@pytest.fixture
def settings() -> Callable[..., DataSettings]:
    """Read the data section of a configuration."""

    def read(root: Path, *sources: dict, **keys: object) -> DataSettings:
        mapping = {"root": str(root), "sources": list(sources), **keys}
        return from_mapping(DataSettings, mapping, "data")

    return read


@pytest.fixture
def write_segmentation() -> Callable[..., None]:
    """Write a .seg.nrrd file as Slicer does."""

    def write(
        path: Path,
        layers: np.ndarray,
        ijk_to_ras: np.ndarray,
        segments: list[dict[str, object]],
    ) -> None:
        lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ ijk_to_ras
        axes = " ".join(f"({','.join(repr(float(v)) for v in lps[:3, c])})" for c in range(3))
        sizes = " ".join(str(n) for n in layers.shape[:0:-1])
        several = len(layers) > 1
        lines = [
            "NRRD0004",
            "type: unsigned char",
            f"dimension: {4 if several else 3}",
            "space: left-posterior-superior",
            f"sizes: {f'{len(layers)} ' if several else ''}{sizes}",
            f"space directions: {'none ' if several else ''}{axes}",
            f"kinds: {'list ' if several else ''}domain domain domain",
            "encoding: raw",
            f"space origin: ({','.join(repr(float(v)) for v in lps[:3, 3])})",
        ]
        for number, segment in enumerate(segments):
            lines += [f"Segment{number}_{key}:={value}" for key, value in segment.items()]
        voxels = np.moveaxis(layers, 0, -1) if several else layers[0]
        content = "\n".join(lines).encode() + b"\n\n"
        path.write_bytes(content + np.ascontiguousarray(voxels, dtype=np.uint8).tobytes())

    return write


@pytest.fixture
def decathlon(tmp_path: Path, write_pair: Callable[..., None]) -> Path:
    """A data root with a Decathlon task of two modalities in 4D files."""
    import SimpleITK

    folder = tmp_path / "Task99"
    training = []
    for number in range(3):
        image, label = f"imagesTr/c_{number}.nii.gz", f"labelsTr/c_{number}.nii.gz"
        write_pair(folder / image, folder / label, number)
        first = SimpleITK.ReadImage(str(folder / image))
        both = SimpleITK.JoinSeries([first, first * 2])
        SimpleITK.WriteImage(both, str(folder / image))
        training.append({"image": f"./{image}", "label": f"./{label}"})
    description = {
        "modality": {"0": "FLAIR", "1": "T1w"},
        "labels": {"0": "background", "1": "edema", "2": "core"},
        "training": training,
        "test": ["./imagesTs/c_9.nii.gz"],
    }
    (folder / "dataset.json").write_text(json.dumps(description))
    return tmp_path


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """A data root with five photographs; numbers 0, 1 and 3 show an aeroplane (class 1)."""
    from PIL import Image

    folder = tmp_path / "VOC2012"
    lists = folder / "ImageSets" / "Segmentation"
    for sub in ("JPEGImages", "SegmentationClassAug", "ImageSets/Segmentation"):
        (folder / sub).mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(5):
        pixels = random.integers(0, 255, (20, 30, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "JPEGImages" / f"2007_{number}.jpg")
        classes = np.zeros((20, 30), dtype=np.uint8)
        classes[5:10, 5:12] = 1 if number in (0, 1, 3) else 15
        classes[4, 5:12] = 255
        picture = Image.fromarray(classes, mode="P" if number % 2 else "L")
        if number % 2:
            picture.putpalette([value for gray in range(256) for value in (gray, 0, 255 - gray)])
        picture.save(folder / "SegmentationClassAug" / f"2007_{number}.png")
    (lists / "trainaug.txt").write_text(
        "/JPEGImages/2007_0.jpg /SegmentationClassAug/2007_0.png\n2007_1\n2007_2\n"
    )
    (lists / "val.txt").write_text("2007_3\n2007_4\n\n")
    return tmp_path
