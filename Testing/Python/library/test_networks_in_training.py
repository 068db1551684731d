"""Validation runs the networks that are being trained, in the session that users run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InteractiveSession, load_bundle

pytest.importorskip("lightning", reason="the extra 'train' is not installed")


from DeepIGeoSLib.training.validation import NetworksInTraining


def test_networks_without_files_answer_as_their_bundle_does(
    tiny_bundle: Path, head, stroke
) -> None:
    bundle = load_bundle(tiny_bundle)
    draft = dataclasses.replace(bundle.manifest, weights={})
    networks = {role: bundle.network(role) for role in ("pnet", "rnet")}
    answers = []
    for source in (bundle, NetworksInTraining(draft, networks)):
        session = InteractiveSession(source, device="cpu")
        session.set_volume(head)
        answers.append((session.propose(), session.refine(foreground=stroke(6, 6, 6))))
    for saved, training in zip(*answers, strict=True):
        assert saved.labels.any()
        assert np.array_equal(saved.probability, training.probability)
