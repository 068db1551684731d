"""Answering cases by a bundle that is opened once: targets or objects, with or without strokes."""

from __future__ import annotations

import threading

import numpy as np

from DeepIGeoSLib.batch.answer import AnsweredTarget, CaseAnswer
from DeepIGeoSLib.batch.cards import device_of_process
from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.batch.reading import CaseContent
from DeepIGeoSLib.bundles import Bundle
from DeepIGeoSLib.instances import Instances, ObjectFinder, parts_as_objects
from DeepIGeoSLib.interaction.segmentation import Segmentation
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.targets import label_numbers


class Answerer:
    """Answers one case after the other."""

    def __init__(self, bundle: Bundle, order: WorkOrder) -> None:
        """Open the networks.

        Args:
            bundle: that of the order.
            order: what is the same for all cases.
        """
        self._order = order
        settings, device = order.settings, device_of_process(order.settings.device)
        if bundle.manifest.for_instances:
            self._opened: ObjectFinder | InteractiveSession = ObjectFinder(
                bundle, device=device, least_score=settings.score
            )
            return
        self._opened = InteractiveSession(
            bundle,
            device=device,
            undo_limit=1,
            memory_budget=settings.network_bytes,
            crf=settings.crf,
            engine=settings.engine,
            prepare=False,
        )
        self._opened.target = settings.target

    def answer(self, content: CaseContent, cancel: threading.Event | None) -> CaseAnswer:
        """Return what is found in a case.

        Raises:
            InputError: the image does not fit the bundle.
            Cancelled: ``cancel`` was set.
        """
        if isinstance(self._opened, ObjectFinder):
            return self._of_objects(self._opened.find(content.channels, cancel=cancel))
        self._opened.set_volume(content.channels)
        answer = self._of_session(self._opened, content, cancel)
        self._opened.reset()
        return answer

    def _of_session(
        self, session: InteractiveSession, content: CaseContent, cancel: threading.Event | None
    ) -> CaseAnswer:
        if self._order.targets:
            return self._of_targets(session.propose_all(cancel=cancel))
        if content.seeds is None and content.initial is None:
            segmentation = session.propose(cancel=cancel)
        else:
            foreground, background = content.seeds or (None, None)
            segmentation = session.refine(foreground, background, content.initial, cancel=cancel)
        if self._order.objects:
            score = self._order.settings.score
            return self._of_objects(parts_as_objects(segmentation.probability, score))
        labels = segmentation.labels
        one = AnsweredTarget(self._order.task, 1, labels > 0, segmentation)
        return CaseAnswer(labels, (one,))

    def _of_targets(self, proposals: dict[str, Segmentation]) -> CaseAnswer:
        targets = self._order.targets
        answered = [
            AnsweredTarget(target.name, label, proposals[target.name].labels > 0, own)
            for label, target in enumerate(targets, 1)
            for own in [proposals[target.name]]
        ]
        numbers = label_numbers([one.mask for one in answered], targets)
        return CaseAnswer(numbers, tuple(answered))

    def _of_objects(self, objects: Instances) -> CaseAnswer:
        numbers = objects.labels()
        answered = []
        for kind in self._order.kinds or ("",):
            own = [n for n, one in enumerate(objects.found, 1) if one.kind == kind]
            mask = np.isin(numbers, own)
            answered.append(AnsweredTarget(kind or self._order.task, 0, mask, objects=len(own)))
        return CaseAnswer(numbers, tuple(answered), objects)
