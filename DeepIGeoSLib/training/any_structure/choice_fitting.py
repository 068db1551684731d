"""Fitting the rules by which answers are chosen, to structures with masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

import numpy as np

from DeepIGeoSLib.any_structure.choice import AnswerChoice, Purpose
from DeepIGeoSLib.any_structure.refining import grown_try, purpose_of, windows_tried
from DeepIGeoSLib.any_structure.signs import signs
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.any_structure.tries import Network, Try
from DeepIGeoSLib.data.selection import evenly
from DeepIGeoSLib.errors import Progress
from DeepIGeoSLib.training.any_structure.images import RealImage
from DeepIGeoSLib.training.any_structure.rule_fitting import Seen, rule_for
from DeepIGeoSLib.users.corruption import nearly_right
from DeepIGeoSLib.users.robot_user import RobotUser

# Structures of each source, and of each image, that rules are fitted to.
_STRUCTURES, _OF_AN_IMAGE = 6, 3

# Users of each structure: their seeds, how many strokes each draws, and whether they begin with
# nothing or with a mask that is nearly right.
_USERS = ((None, 7, "nothing"), (1, 3, "nothing"), (None, 3, "nearly right"))


def fitted_choice(
    sources: Sequence[Sequence[RealImage]], network: Network, progress: Progress | None = None
) -> AnswerChoice | None:
    """Return the rules that choose the best answers, or None without any structure.

    A robot user begins every structure and corrects it; the signs and the Dice of every answer are
    noted. The next stroke follows the best answer, or any, in turn: rules are to know good
    segmentations and bad ones.

    Args:
        sources: images with masks, of each source; those without masks are left out. Among them
            should be some that the network has not learned from: of those that it has, it answers
            better than of others, and rules fitted to them alone trust it too much.
        network: from channels (channel, k, j, i) to the probability (k, j, i).
        progress: called with the share done and a text.
    """
    seen: list[Seen] = []
    for number, images in enumerate(sources):
        if progress is not None:
            progress(number / len(sources), "Fitting the choice of answers")
        seen += _sessions(images, network)
    if not seen:
        return None
    rules = (rule_for([one for one in seen if one.purpose == p]) for p in get_args(Purpose))
    return AnswerChoice(*rules)


def _sessions(images: Sequence[RealImage], network: Network) -> Iterator[Seen]:
    """Yield the answers to the strokes on some structures of a source."""
    structures = [
        (image, value) for image in images for value in evenly(image.values, _OF_AN_IMAGE)
    ]
    for number, (image, value) in enumerate(evenly(structures, _STRUCTURES)):
        truth = image.labels == value
        for seed, strokes, begin in _USERS:
            random = np.random.default_rng(number)
            state = np.zeros(truth.shape, dtype=np.float32)
            if begin == "nearly right":
                state[nearly_right(truth, image.spacing, random)] = 1
            yield from _session(
                image,
                truth,
                state,
                user=RobotUser("disk", seed=seed),
                strokes=strokes,
                network=network,
                random=random,
            )


def _session(
    image: RealImage,
    truth: np.ndarray,
    state: np.ndarray,
    *,
    user: RobotUser,
    strokes: int,
    network: Network,
    random: np.random.Generator,
) -> Iterator[Seen]:
    """Yield the answers to the first strokes of a user on one structure."""
    turns = int(random.integers(1000))
    foreground, background = np.zeros((2, *truth.shape), dtype=bool)
    for turn in range(strokes):
        mark = user.mark(state >= 0.5, truth, image.spacing, turn=(turns, turn))
        if mark is None:
            return
        (foreground if mark.label == "foreground" else background)[mark.mask] = True
        (background if mark.label == "foreground" else foreground)[mark.mask] = False
        drawn = StrokeVoxels.of_masks(
            Strokes(foreground, background, mark.mask & foreground, mark.mask & background)
        )
        tries = _answers(image, state, drawn, network)
        states = [_after(one, state, drawn) for one in tries]
        dice = np.array([_dice(after >= 0.5, truth) for after in states])
        yield Seen(purpose_of(tries), signs(tries), dice, _dice(state >= 0.5, truth))
        state = states[int(dice.argmax()) if turn % 2 == 0 else random.integers(len(states))]


def _answers(
    image: RealImage, state: np.ndarray, strokes: StrokeVoxels, network: Network
) -> list[Try]:
    """Return every answer to strokes of one class: the network's, and that without a network."""
    tries = windows_tried(
        image.image,
        image.spacing,
        lambda box: state[box].copy(),
        strokes=strokes,
        network=network,
    )
    return [*tries, *grown_try(image.image, tries)]


def _after(one: Try, state: np.ndarray, strokes: StrokeVoxels) -> np.ndarray:
    box, values = one.in_volume(lambda box: state[box].copy(), strokes)
    after = state.copy()
    after[box] = values
    return after


def _dice(found: np.ndarray, truth: np.ndarray) -> float:
    both = np.count_nonzero(found & truth)
    return 2 * both / (np.count_nonzero(found) + np.count_nonzero(truth))
