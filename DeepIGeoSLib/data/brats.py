"""The layout of BraTS 2021 and its relatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.data.source import DataFault, Found, Source
from DeepIGeoSLib.errors import InputError

# Labels of BraTS 2012 to 2021: 1 necrosis (and non-enhancing tumor), 2 edema, 3 non-enhancing tumor
# (until 2016), 4 enhancing tumor.
_REGIONS = {"whole tumor": (), "tumor core": (1, 3, 4), "enhancing tumor": (4,)}


@dataclass(frozen=True, kw_only=True)
class BratsSource(Source):
    """A folder per case with files such as CASE_flair.nii.gz and CASE_seg.nii.gz (BraTS 2021).

    Attributes:
        modalities: ends of the images' names, one for each channel: flair, t1, t1ce, t2; in BraTS
            2023 t2f, t1n, t1c, t2w.
        region: how labels are merged, by the numbers of BraTS until 2021. In BraTS 2023 enhancing
            tumor is 3: give target_labels there, which replace the region.
    """

    layout: Literal["brats"] = "brats"
    modalities: tuple[str, ...] = ("flair",)
    region: Literal["whole tumor", "tumor core", "enhancing tumor"] = "whole tumor"

    def __post_init__(self) -> None:
        """Check that there is a modality."""
        super().__post_init__()
        if not self.modalities:
            raise InputError("modalities is empty; at least one name such as flair is expected.")

    @property
    def channels(self) -> int:
        """How many channels the images have."""
        return len(self.modalities)

    def find(self, folder: Path, listed: Sequence[str]) -> Found:
        """Return a case for every folder that has the images and the labels."""
        cases, problems = [], []
        for case_folder in sorted(path for path in folder.iterdir() if path.is_dir()):
            names = (*self.modalities, "seg")
            files = {name: _files_of(case_folder, name) for name in names}
            if not any(files.values()):
                continue  # a folder of something else
            problem = _problem_of(files, case_folder.name in listed)
            if problem is not None:
                text, fatal = problem
                problems.append(DataFault(f"{self.dataset}/{case_folder.name}", text, fatal))
                continue
            first, *others = (files[name][0] for name in self.modalities)
            cases.append(
                LabeledCase(
                    dataset=self.dataset,
                    name=case_folder.name,
                    image=first,
                    label=files["seg"][0],
                    target_labels=self.target_labels or _REGIONS[self.region],
                    other_channels=tuple(others),
                )
            )
        if not cases and not problems:
            raise InputError(
                f"{folder} has no case folders with files like *_{self.modalities[0]}.nii.gz."
            )
        return Found(cases, problems)


def _files_of(folder: Path, name: str) -> list[Path]:
    """Return the files that end in a modality's name: _ before it until 2021, - since 2023."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.name.lower().endswith(
            tuple(
                f"{mark}{name}{ending}".lower() for mark in "_-" for ending in (".nii.gz", ".nii")
            )
        )
        and not path.name.startswith(".")
    ]


def _problem_of(files: dict[str, list[Path]], is_listed: bool) -> tuple[str, bool] | None:
    """Return what is wrong with the files of a case, and whether that is fatal."""
    for name, found in files.items():
        if len(found) > 1:
            return f"There are {len(found)} files for {name}; one is expected.", True
        if not found and is_listed:
            return f"The split file lists this case, but it has no {name} file.", True
        if not found:
            return f"There is no {name} file; the case is left out.", False
    return None
