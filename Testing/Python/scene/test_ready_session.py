"""A model that begins while the user still looks at the volume."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from DeepIGeoSLib.bundles import load_bundle
from DeepIGeoSLib.errors import Cancelled, InputError
from DeepIGeoSLib.interaction.session import InteractiveSession


@pytest.fixture
def place(volume_node, segmentation_node):
    """The target: volume, segmentation and segment ID."""
    return (volume_node, segmentation_node, "tumor")


@pytest.fixture
def proposed(monkeypatch) -> list[Any]:
    """The images that P-Net was run on."""
    from DeepIGeoSLib.interaction import rounds

    seen, propose = [], rounds.propose
    monkeypatch.setattr(
        rounds, "propose", lambda image, *a, **o: seen.append(image) or propose(image, *a, **o)
    )
    return seen


def test_the_first_step_takes_the_proposal_over_that_was_made_ahead(
    logic, place, lesion, proposed
) -> None:
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    logic.getReady(place[0])
    assert len(proposed) == 1
    assert not maskFromSegment(*place).any()  # nothing is written before somebody asks
    logic.propose(*place)
    assert len(proposed) == 1
    np.testing.assert_array_equal(maskFromSegment(*place), lesion)
    logic.propose(*place)
    assert len(proposed) == 2


def test_a_volume_that_changed_or_another_model_is_not_answered_by_what_was_made_ahead(
    logic, tiny_bundle, place, proposed
) -> None:
    import slicer

    logic.getReady(place[0])
    array = slicer.util.arrayFromVolume(place[0])
    slicer.util.updateVolumeFromArray(place[0], array[:, :, ::-1].copy())
    logic.propose(*place)
    assert len(proposed) == 2
    logic.getReady(place[0])
    logic.setBundle("geodesic")
    logic.setBundle(tiny_bundle)
    logic.propose(*place)
    assert len(proposed) == 4


def test_a_volume_that_a_model_can_not_use_is_told_at_the_first_step_alone(logic, place) -> None:
    import slicer

    array = slicer.util.arrayFromVolume(place[0])
    slicer.util.updateVolumeFromArray(place[0], np.zeros_like(array))
    logic.getReady(place[0])
    with pytest.raises(InputError, match="constant"):
        logic.propose(*place)


def test_cancelled_it_leaves_the_session_as_it_was(tiny_bundle, volume_node) -> None:
    from DeepIGeoSLib.scene.nodes import volumeFromNode

    bundle, volume = load_bundle(tiny_bundle), volumeFromNode(volume_node)
    session, cancel = InteractiveSession(bundle), threading.Event()
    session.set_volume(volume)
    cancel.set()
    with pytest.raises(Cancelled):
        session.get_ready(cancel)
    assert session.current is None
    plain = InteractiveSession(bundle)
    plain.set_volume(volume)
    np.testing.assert_array_equal(session.propose().probability, plain.propose().probability)
