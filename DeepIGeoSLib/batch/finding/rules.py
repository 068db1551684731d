"""By which rules cases are found."""

from __future__ import annotations

from dataclasses import dataclass

from DeepIGeoSLib.data.patterns import CASE
from DeepIGeoSLib.errors import InputError


@dataclass(frozen=True, kw_only=True)
class FindingRules:
    """How files belong to cases.

    Patterns are paths from the input folder (or absolute ones), in which {case} stands for the
    name of the case.

    Attributes:
        images: pattern of the image; several for several channels. Every image of the folder is a
            case of its own when empty.
        seeds: pattern of the strokes.
        initial: pattern of segmentations to be corrected by the strokes.
        truth: pattern of the true segmentations.
        modality: of the DICOM series that are wanted, such as "MR".
        description: of the DICOM series that are wanted; * stands for any text, capitals don't
            count.
        suffix: of the images of a BIDS data set that are wanted, such as "FLAIR"; one for each
            channel.
    """

    images: tuple[str, ...] = ()
    seeds: str | None = None
    initial: str | None = None
    truth: str | None = None
    modality: str | None = None
    description: str | None = None
    suffix: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the patterns.

        Raises:
            InputError: one does not say where the name of the case stands, or there is something
                to be corrected, but nothing to correct it by.
        """
        others = {"seeds": self.seeds, "initial": self.initial, "truth": self.truth}
        for what, pattern in [*(("images", p) for p in self.images), *others.items()]:
            if pattern is not None and CASE not in pattern:
                raise InputError(
                    f"The pattern for {what} is {pattern!r}; {CASE} must stand for the case's name "
                    "in it."
                )
        if self.initial is not None and self.seeds is None:
            raise InputError("Segmentations to be corrected (initial) need seeds to do it by.")
