"""What a configuration says about the data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from DeepIGeoSLib.data.brats import BratsSource
from DeepIGeoSLib.data.decathlon import DecathlonSource
from DeepIGeoSLib.data.listing import ListSource
from DeepIGeoSLib.data.pairs import FolderSource, SplitFileSource
from DeepIGeoSLib.data.picture_pairs import PictureSource
from DeepIGeoSLib.data.scenes import SceneSource
from DeepIGeoSLib.data.split import SplitSettings
from DeepIGeoSLib.data.targets import ClassMarks, TargetSettings, exclusive_classes
from DeepIGeoSLib.data.voc import VocSource
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.colors import COLORS
from DeepIGeoSLib.targets import Target, check_targets

# The first is the one meant where a source does not name its layout.
SourceSettings = (
    SplitFileSource
    | FolderSource
    | ListSource
    | BratsSource
    | DecathlonSource
    | SceneSource
    | VocSource
    | PictureSource
)


@dataclass(frozen=True)
class DataSettings:
    """Where the cases are.

    Attributes:
        root: folder of the data sets; relative to the configuration file.
        sources: the data sets to use.
        splits: CSV file below the root with the columns dataset, case and use ("train" or "val").
            When null, splits.csv is taken if it is there.
        split: how the cases are divided that have no use yet.
        targets: what one network is to tell apart, such as two cavities and a muscle, or tumors
            that lie in each other; their labels replace those of the sources. When empty, there is
            one target, which the sources say.
    """

    root: str
    sources: tuple[SourceSettings, ...]
    splits: str | None = None
    split: SplitSettings = field(default_factory=SplitSettings)
    targets: tuple[TargetSettings, ...] = ()

    def __post_init__(self) -> None:
        """Check the sources (names of their own, equal channels) and the targets."""
        if not self.sources:
            raise InputError("sources is empty; at least one data set is expected.")
        names = Counter(source.dataset for source in self.sources)
        twice = [name for name, count in names.items() if count > 1]
        if twice:
            raise InputError(
                f"two sources are named {twice[0]!r}; each needs a dataset name of its own (their "
                "folders may be the same)."
            )
        for source in self.sources:
            if source.channels != self.channels:
                raise InputError(
                    f"the source {source.dataset!r} gives images of {source.channels} channels, "
                    f"but {self.sources[0].dataset!r} gives {self.channels}."
                )
            for target in self.targets:
                for label in sorted({*target.labels} & {*source.ignored_labels}):
                    raise InputError(
                        f"the source {source.dataset!r} ignores the label {label}, which belongs "
                        f"to the target {target.name!r}."
                    )
        check_targets(self.network_targets)

    @property
    def channels(self) -> int:
        """How many channels the images have."""
        return self.sources[0].channels

    @property
    def channel_names(self) -> tuple[str, ...]:
        """What the channels are called where nobody says it: colors, or numbers from 0."""
        if getattr(self.sources[0], "color", None) == "rgb":
            return COLORS
        return tuple(f"channel {number}" for number in range(self.channels))

    @property
    def class_marks(self) -> tuple[ClassMarks, ...]:
        """What marks each class that the network tells apart; empty for a single target."""
        return exclusive_classes(self.targets)[0]

    @property
    def network_targets(self) -> tuple[Target, ...]:
        """The targets by their classes; empty for a single one."""
        return exclusive_classes(self.targets)[1]
