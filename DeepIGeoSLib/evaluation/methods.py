"""What the robot user can correct: sessions of this library, and anything else that obeys."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import numpy as np

from DeepIGeoSLib.bundles import Bundle
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.volume import Volume

# Voxels (k, j, i) of the volume that a method is warmed up with.
_SMALL = (4, 32, 32)


class Method(ABC):
    """Segments a volume, first alone and then by what a user marks.

    Attributes:
        name: in tables and plots.
        target: the one of several targets that is segmented; empty for the only one.
    """

    name: str
    target: str = ""

    @property
    @abstractmethod
    def identity(self) -> str:
        """A text that says everything that the method's answers depend on."""

    @abstractmethod
    def set_volume(self, channels: Sequence[Volume]) -> None:
        """Take a volume's channels, which lie on one grid, and forget everything before it."""

    def choose_target(self, name: str) -> None:
        """Segment one of several targets from now on; methods that know none need not look.

        Args:
            name: of the target; empty for the only one.
        """
        self.target = name

    @abstractmethod
    def propose(self) -> np.ndarray:
        """Return what the method finds without help: bool, axes (k, j, i).

        A method that can't do anything alone returns an empty mask.
        """

    def begin_empty(self) -> np.ndarray:
        """Begin with an empty mask instead of a proposal, and return it.

        The default returns the proposal, which is empty for methods that answer from marks alone;
        a method that finds something without help has to replace it.
        """
        return self.propose()

    @abstractmethod
    def refine(self, foreground: np.ndarray, background: np.ndarray) -> np.ndarray:
        """Return the result after more marks: bool, axes (k, j, i).

        Args:
            foreground: bool, the volume's shape: ALL foreground marks given so far.
            background: the same for the background; no voxel is in both.
        """

    @property
    def takes_boxes(self) -> bool:
        """Whether ``answer_box`` can be called."""
        return False

    def answer_box(self, box: Box) -> np.ndarray:
        """Return the result after a box around the target: bool, axes (k, j, i).

        Args:
            box: slices (k, j, i) inside the volume.

        Raises:
            InputError: the method takes no boxes.
        """
        raise InputError(f"The method {self.name} takes no boxes.")

    def warm_up(self, channels: Sequence[Volume], from_empty: bool = False) -> None:
        """Load and compile what the first answer would wait for, so that it is not timed.

        The default answers once on a small volume of noise; the method's volume is lost.

        Args:
            channels: of a case; how many they are and their spacing matter.
            from_empty: whether the cases begin with an empty mask.
        """
        random = np.random.default_rng(0)
        spacing = channels[0].spacing
        noise = [random.normal(100, 10, _SMALL).astype(np.float32) for _ in channels]
        self.set_volume([Volume(array, spacing=spacing, name="noise") for array in noise])
        self.begin_empty() if from_empty else self.propose()
        marks = np.zeros((2, *_SMALL), dtype=bool)
        marks[0, 2, 8:12, 8:12] = True
        marks[1, 2, 20:24, 20:24] = True
        self.refine(*marks)


class SessionMethod(Method):
    """An ``InteractiveSession``."""

    def __init__(self, session: InteractiveSession, name: str = "deepigeos") -> None:
        """Take a session; its volume is replaced with every case."""
        self.name = name
        self._session = session
        self._shape: tuple[int, int, int] = (0, 0, 0)
        self._initial: np.ndarray | None = None

    @property
    def identity(self) -> str:
        """The bundle's manifest, which holds the hashes of the weights."""
        return f"{self.name} {self._session.bundle.manifest!r}"

    def set_volume(self, channels: Sequence[Volume]) -> None:
        """See ``Method``."""
        self._session.set_volume(channels)
        self._shape = channels[0].shape
        self._initial = None

    def choose_target(self, name: str) -> None:
        """See ``Method``; a bundle of one target answers for any.

        Raises:
            InputError: the bundle has several targets, and none of this name.
        """
        super().choose_target(name)
        if len(self._session.targets) > 1:
            self._session.target = name

    def propose(self) -> np.ndarray:
        """Return P-Net's proposal."""
        return self._session.propose().labels > 0

    def begin_empty(self) -> np.ndarray:
        """Let the first answer correct an empty mask; P-Net does not run."""
        self._initial = np.zeros(self._shape, dtype=bool)
        return self._initial

    @property
    def takes_boxes(self) -> bool:
        """See ``Method``."""
        return True

    def answer_box(self, box: Box) -> np.ndarray:
        """See ``Method``."""
        initial, self._initial = self._initial, None
        answer = self._session.refine(initial=initial, box=box, neighbors="overlap")
        return answer.labels > 0

    def refine(self, foreground: np.ndarray, background: np.ndarray) -> np.ndarray:
        """Return R-Net's answer."""
        initial, self._initial = self._initial, None
        answer = self._session.refine(foreground, background, initial, neighbors="overlap")
        return answer.labels > 0


def with_switches(
    bundle: Bundle,
    *,
    initial: Literal["pnet", "previous"] | None = None,
    maps: Literal["geodesic", "euclidean"] | None = None,
    changes: Literal["asked", "connected", "any"] | None = None,
    crf: bool | None = None,
) -> Bundle:
    """Return the same bundle with other interactions, for ablations.

    The weights stay: they were trained with the bundle's own settings. A switch that is None stays
    as the bundle has it.

    Args:
        bundle: is not changed.
        initial: what R-Net sees as the initial segmentation after the first round.
        maps: "euclidean" makes distance maps of path lengths in mm, whatever the intensities;
            "geodesic" keeps the bundle's maps.
        changes: which changes a round may make; see ``InteractionSettings``.
        crf: whether the bundle's CRF-Nets are on.

    Raises:
        InputError: the CRF is to be on, and the bundle has none.
    """
    chosen: dict = {"initial": initial, "changes": changes}
    if maps == "euclidean":
        chosen["weight"] = 0.0
    given = {name: value for name, value in chosen.items() if value is not None}
    interactions = dataclasses.replace(bundle.manifest.interactions, **given)
    settings = bundle.manifest.crf
    if crf and settings is None:
        raise InputError(f"The bundle {bundle.manifest.name} has no CRF to switch on.")
    if crf is not None and settings is not None:
        settings = dataclasses.replace(settings, enabled=crf)
    manifest = dataclasses.replace(bundle.manifest, interactions=interactions, crf=settings)
    return dataclasses.replace(bundle, manifest=manifest)
