"""The model that a user has chosen, opened when it is needed first."""

from __future__ import annotations

from pathlib import Path

from DeepIGeoSLib.bundles import Bundle, load_bundle, proposes, targets_of
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.targets import Target


class ChosenModel:
    """A bundle by its name, and how it is to be used.

    Attributes:
        given: the bundle, a shipped bundle's name, or a folder.
        crf: whether its CRF-Nets smooth the networks' answers; as the model recommends when None.
    """

    def __init__(self, given: Bundle | str | Path) -> None:
        """Take the choice; nothing is read yet."""
        self.given = given
        self.crf: bool | None = None
        self._bundle: Bundle | None = None
        self._proposes: bool | None = None
        self._targets: tuple[Target, ...] | None = None

    @property
    def proposes(self) -> bool:
        """Whether the model segments by itself, before any stroke."""
        if self._proposes is None:
            self._proposes = proposes(self.given)
        return self._proposes

    @property
    def targets(self) -> tuple[Target, ...]:
        """What the model tells apart; nothing for a single target."""
        if self._targets is None:
            self._targets = targets_of(self.given)
        return self._targets

    def open(self) -> Bundle:
        """Return the bundle; it is read once."""
        if isinstance(self.given, Bundle):
            return self.given
        if self._bundle is None:
            self._bundle = load_bundle(self.given)
        return self._bundle

    def setCrf(self, crf: bool | None) -> None:
        """Set ``crf``.

        Raises:
            InputError: it is to be on, and the model has none.
        """
        if crf and self.open().manifest.crf is None:
            raise InputError(f"The model {self.open().manifest.name} has no CRF.")
        self.crf = crf
