"""How a bundle answers: its networks in their engines, and the CRF-Nets behind them."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from DeepIGeoSLib.crf import MeanField
from DeepIGeoSLib.engines import Engines, NetworkSource
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.grid.boxes import whole_box
from DeepIGeoSLib.inputs.prepared_image import PreparedImage
from DeepIGeoSLib.interaction import rounds
from DeepIGeoSLib.interaction.draft import Draft
from DeepIGeoSLib.interaction.history import Reader
from DeepIGeoSLib.interaction.region import sizes_of_regions
from DeepIGeoSLib.networks import input_channels


class BundleRunner:
    """Proposes and refines with the networks of a bundle.

    Of a volume it keeps nothing but a proposal that ``get_ready`` made, until somebody asks for it.
    """

    def __init__(
        self, bundle: NetworkSource, *, engine: str, device: str, memory_budget: int | None
    ) -> None:
        """See ``InteractiveSession`` for the arguments and what is raised."""
        self.bundle = bundle
        self._device = device
        self._engines = Engines(bundle, engine, device, memory_budget=memory_budget)
        self._crfs: dict[str, MeanField] = {}
        self._crf_enabled = False
        self._ahead: tuple[PreparedImage, bool, list[np.ndarray]] | None = None

    @property
    def crf(self) -> bool:
        """Whether the bundle's CRF-Nets follow its networks; see ``InteractiveSession.crf``."""
        return self._crf_enabled

    def set_crf(self, enabled: bool | None) -> None:
        """Switch the CRF-Nets on or off; as the bundle recommends when None.

        Raises:
            InputError: the bundle has none to switch on.
        """
        settings = self.bundle.manifest.crf
        if enabled and settings is None:
            raise InputError(f"The bundle {self.bundle.manifest.name} has no CRF to switch on.")
        recommended = settings is not None and settings.enabled
        self._crf_enabled = recommended if enabled is None else enabled

    def get_ready(self, image: PreparedImage, cancel: threading.Event | None = None) -> None:
        """Compute ahead what ``propose`` is going to return, and make the networks ready.

        Raises:
            Cancelled: ``cancel`` was set.
        """
        manifest = self.bundle.manifest
        if manifest.for_any_structure:
            self._engines.of(manifest.refinement_network)
        elif self._has_pnet_and_rnet():
            proposals = self.propose(image, cancel=cancel)
            self._ahead = image, self._crf_enabled, proposals
            self.prepare(image)

    def _has_pnet_and_rnet(self) -> bool:
        manifest = self.bundle.manifest
        others = manifest.for_any_structure or manifest.for_instances
        return self.bundle.has_networks and not others

    def prepare(self, image: PreparedImage) -> None:
        """Let R-Net get ready for its regions while the user looks at the proposal."""
        manifest = self.bundle.manifest
        if not self._has_pnet_and_rnet():
            return
        channels = input_channels("rnet", len(manifest.channels))
        engine = self._engines.of("rnet")
        for size in sizes_of_regions(image.region_size(), image.shape):
            engine.prepare((channels, *image.grid(whole_box(size)).shape))

    def propose(
        self,
        image: PreparedImage,
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> list[np.ndarray]:
        """Return P-Net's answer for each target; see ``rounds.propose``."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] is image and ahead[1] == self._crf_enabled:
            return ahead[2]
        return rounds.propose(
            image,
            self._engines.of(self.bundle.manifest.proposal_network),
            targets=self.bundle.manifest.targets,
            progress=progress,
            cancel=cancel,
            crf=self._crf_of("pnet"),
        )

    def refine(
        self, image: PreparedImage, start: np.ndarray, *, proposal: Reader, **options: Any
    ) -> Draft:
        """Return the answer to a round of strokes; see ``rounds.refine``.

        Args:
            image: the volume.
            start: probability before the round, float32 on the oriented grid.
            proposal: returns a box of what the rounds began with.
            options: ``interactions``, ``changed``, ``region``, ``progress`` and ``cancel``.
        """
        manifest = self.bundle.manifest
        if manifest.for_instances or not self.bundle.has_networks:
            return rounds.refine_without_network(image, start, **options)
        engine = self._engines.of(manifest.refinement_network)
        if manifest.for_any_structure:
            return rounds.refine_any_structure(
                image, engine, start, choice=manifest.answer_choice, **options
            )
        return rounds.refine(
            image,
            engine,
            start,
            settings=manifest.interactions,
            proposal=proposal if manifest.interactions.initial == "pnet" else None,
            crf=self._crf_of("rnet"),
            **options,
        )

    def _crf_of(self, role: str) -> MeanField | None:
        if not self._crf_enabled:
            return None
        if role not in self._crfs:
            self._crfs[role] = MeanField(self.bundle.crf(role), self._device)
        return self._crfs[role]
