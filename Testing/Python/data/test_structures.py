"""Collections of any structures: every label is a target, whatever the image is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import Volume
from DeepIGeoSLib.data.structures import find_structures
from DeepIGeoSLib.errors import InputError

RANDOM = np.random.default_rng(0)


def write_volume(path: Path, labels: np.ndarray) -> None:
    volume = Volume(RANDOM.normal(size=labels.shape).astype(np.float32), spacing=(3, 1, 1))
    volume.write_map(path, volume.array)
    volume.write_labels(path.with_name(path.name.replace(".nii.gz", "_mask.nii.gz")), labels)


def write_picture(path: Path, labels: np.ndarray) -> None:
    from PIL import Image

    pixels = RANDOM.integers(0, 255, (*labels.shape, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    Image.fromarray(labels.astype(np.uint8)).save(path.with_name(f"{path.stem}_mask.png"))


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """A liver with two labels, numbered cells of growing size, and a picture without labels."""
    volumes, pictures = tmp_path / "volumes", tmp_path / "pictures"
    volumes.mkdir()
    pictures.mkdir()
    liver = np.zeros((2, 6, 6), dtype=np.uint8)
    liver[:, 1:4, 1:4] = 1
    liver[0, 2, 2] = 2
    write_volume(volumes / "liver__a.nii.gz", liver)
    cells = np.zeros((1, 8, 8), dtype=np.uint8)
    for number in range(1, 8):
        cells[0, number, :number] = number
    write_volume(volumes / "cells__b.nii.gz", cells)
    (volumes / "cases.csv").write_text(
        "kind,case,labels,note\nliver,a,1=liver; 2=lesion,x\ncells,b,0=instance labels,y\n"
    )
    picture = np.zeros((5, 7), dtype=np.uint8)
    picture[1:3, 1:3], picture[3:, 4:] = 1, 255
    write_picture(pictures / "nerve__c.png", picture)
    (pictures / "cases.csv").write_text("kind,case\nnerve,nerve__c\n")
    return tmp_path


def test_every_label_is_a_target(collection: Path) -> None:
    cases = {(case.dataset, case.name): case for case in find_structures(collection)}
    assert list(cases) == [
        ("liver", "a liver"),
        ("liver", "a lesion"),
        *(("cells", f"b label {number}") for number in (2, 4, 6)),
        ("nerve", "c label 1"),
        ("nerve", "c label 255"),
    ]
    sizes = {name: int(case.load()[1].sum()) for (_, name), case in cases.items()}
    assert sizes["a liver"] == 17
    assert sizes["a lesion"] == 1
    assert sizes["b label 4"] == 4
    assert sizes["c label 255"] == 6


def test_a_color_picture_is_a_single_slice(collection: Path) -> None:
    volume, mask = find_structures(collection)[-1].load()
    assert volume.shape == mask.shape == (1, 5, 7)
    assert volume.spacing == (1.0, 1.0, 1.0)


def test_a_list_of_ones_own(collection: Path) -> None:
    path = collection / "mine.csv"
    path.write_text(
        "image,mask,label,kind\n"
        "volumes/liver__a.nii.gz,volumes/liver__a_mask.nii.gz,2,lesions\n"
        "volumes/liver__a.nii.gz,volumes/liver__a_mask.nii.gz,1 + 2,\n"
        "pictures/nerve__c.png,pictures/nerve__c_mask.png,,nerves\n"
    )
    lesion, whole, nerve = find_structures(path)
    assert (lesion.dataset, lesion.name) == ("lesions", "liver__a label 2")
    assert whole.dataset == "mine"
    assert [int(case.load()[1].sum()) for case in (lesion, whole, nerve)] == [1, 18, 10]


BAD_LISTS = {
    "column": ("image,label\na,b\n", "lacks the column 'mask'"),
    "empty": ("image,mask\n", "lists no case"),
    "mask": ("image,mask\nvolumes/liver__a.nii.gz,\n", "line 2: the image or the mask is empty"),
    "file": ("image,mask\nno.nii,no_mask.nii\n", "line 2: .*no.nii does not exist"),
    "label": (
        "image,mask,label\nvolumes/liver__a.nii.gz,volumes/liver__a_mask.nii.gz,liver\n",
        "line 2: the label 'liver' is no number",
    ),
    "twice": (
        "image,mask\n" + 2 * "volumes/liver__a.nii.gz,volumes/liver__a_mask.nii.gz\n",
        "line 3: 'liver__a' is listed twice",
    ),
}


@pytest.mark.parametrize(("text", "sentence"), BAD_LISTS.values(), ids=BAD_LISTS)
def test_a_bad_list_is_one_sentence(collection: Path, text: str, sentence: str) -> None:
    (collection / "mine.csv").write_text(text)
    with pytest.raises(InputError, match=sentence):
        find_structures(collection / "mine.csv")


def test_folders_that_are_no_collection(collection: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither volumes/cases\.csv nor pictures/cases\.csv"):
        find_structures(tmp_path / "nowhere")
    (collection / "volumes" / "liver__a_mask.nii.gz").unlink()
    with pytest.raises(InputError, match=r"liver__a_mask\.nii\.gz does not exist"):
        find_structures(collection)
    (collection / "volumes" / "cases.csv").write_text("kind,case\n../liver,a\n")
    with pytest.raises(InputError, match="no path below"):
        find_structures(collection)
