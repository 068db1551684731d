"""Lists are read as spreadsheets of every country and system write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from DeepIGeoSLib import InputError
from DeepIGeoSLib.data.listing import ListSource
from DeepIGeoSLib.data.table_file import read_table

PLAIN = "image,label\nimages/a.nii.gz,labels/a.nii.gz\n"
WRITTEN = {
    "plain": (PLAIN, "utf-8"),
    "mark and CRLF": (PLAIN.replace("\n", "\r\n"), "utf-8-sig"),
    "CR alone": (PLAIN.replace("\n", "\r"), "utf-8"),
    "semicolons": (PLAIN.replace(",", ";"), "utf-8"),
    "tabs": (PLAIN.replace(",", "\t"), "utf-8"),
    "a line for Excel": ("sep=;\n" + PLAIN.replace(",", ";"), "utf-8-sig"),
    "backslashes": (PLAIN.replace("/", "\\"), "utf-8"),
    "capitals": (PLAIN.replace("image,label", "Image, LABEL "), "utf-8"),
    "UTF-16": (PLAIN, "utf-16"),
    "UTF-16 of another byte order": ("\ufeff" + PLAIN, "utf-16-be"),
    "quotation marks": ('"image","label"\n"images/a.nii.gz","labels/a.nii.gz"\n', "utf-8"),
    "more columns": (PLAIN.replace("\n", ",remark\n", 1), "utf-8"),
    "empty lines and entries": (PLAIN + "\n,,\n", "utf-8"),
    "no last line end": (PLAIN.rstrip(), "utf-8"),
}


@pytest.mark.parametrize(("text", "encoding"), WRITTEN.values(), ids=WRITTEN.keys())
def test_every_spreadsheet_says_the_same(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "cases.csv").write_bytes(text.encode(encoding))
    (case,) = ListSource(dataset="x").find(tmp_path, []).cases
    assert case.name == "a"
    assert case.image == tmp_path / "images" / "a.nii.gz"
    assert case.label == tmp_path / "labels" / "a.nii.gz"


def test_texts_keep_their_letters(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("case;use\nGr\u00f6\u00dfe, \u8111;train\n", encoding="utf-16")
    assert read_table(tmp_path / "t.csv", {"case", "use"}, set()) == [
        (2, {"case": "Gr\u00f6\u00dfe, \u8111", "use": "train"})
    ]


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("sep=;\nimage;label\n\na;b\n;c\n")
    with pytest.raises(InputError, match="line 5: the image or the label is empty"):
        ListSource(dataset="x").find(tmp_path, [])


REFUSED = {
    "Latin-1": (b"image,label\nGr\xf6\xdfe,b\n", "is not UTF-8 text .byte 14 is 0xf6"),
    "UTF-16 without a mark": (PLAIN.encode("utf-16-le"), "null characters; save it as 'CSV UTF-8'"),
    "spaces": (b"image label\na b\n", "lacks the column 'image'; it has image label"),
    "no label": (b"image;mask\na;b\n", "'label'; it has image, mask .separated by semicolons."),
    "twice": (b"image,label,Image\na,b,c\n", "has the column 'image' twice"),
    "a comma in a path": (b"image,label\na,1.nii,b.nii\n", "line 2: there are 3 entries for 2"),
    "an open quotation mark": (b'image,label\n"a,b\n', "can't be read as CSV"),
    "empty": (b"", "lacks the column"),
    "a picture": (bytes(range(256)), "is not UTF-8 text"),
}


@pytest.mark.parametrize(("content", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_table_is_explained(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "cases.csv").write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        ListSource(dataset="x").find(tmp_path, [])
