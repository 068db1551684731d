"""Configurations to start from: what ``deepigeos train --print-config`` prints."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from DeepIGeoSLib.bundles import TrainingData
from DeepIGeoSLib.data import DataSettings
from DeepIGeoSLib.data.brats import BratsSource
from DeepIGeoSLib.data.decathlon import DecathlonSource
from DeepIGeoSLib.data.listing import ListSource
from DeepIGeoSLib.data.pairs import FolderSource, SplitFileSource
from DeepIGeoSLib.data.picture_pairs import PictureSource
from DeepIGeoSLib.data.scenes import SceneSource
from DeepIGeoSLib.data.targets import TargetSettings
from DeepIGeoSLib.data.voc import VocSource
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks import NetworkSettings
from DeepIGeoSLib.settings import template
from DeepIGeoSLib.settings.mapping import nearest_name
from DeepIGeoSLib.training.crf import CrfTraining
from DeepIGeoSLib.training.run_settings import IMAGENET, StartSettings
from DeepIGeoSLib.training.settings import BundleSettings, OptimizationSettings, TrainingSettings

_DATA = DataSettings(root="data", sources=(FolderSource(dataset="my-lesions"),))

OTHER_SOURCES = (
    SplitFileSource(
        dataset="my-study", image="{case}/flair.nii.gz", label="{case}/lesion.seg.nrrd"
    ),
    ListSource(dataset="my-list", file="cases.csv"),
    BratsSource(dataset="BraTS2021", modalities=("flair",), region="whole tumor"),
    DecathlonSource(dataset="Task04_Hippocampus", classes=("Anterior", "Posterior")),
    SceneSource(dataset="my-scenes", segments=("tumor",)),
    VocSource(dataset="VOC2012", classes=("aeroplane",)),
    PictureSource(dataset="my-pictures"),
)

_TARGETS = (
    TargetSettings("myocardium", labels=(2,), color=(255, 170, 150)),
    TargetSettings("left ventricle", labels=(3,)),
)


def _pnet() -> TrainingSettings:
    return TrainingSettings(task="pnet", output="runs/my-pnet", data=_DATA)


def _rnet() -> TrainingSettings:
    return TrainingSettings(
        task="rnet",
        output="runs/my-rnet",
        data=_DATA,
        pnet=("runs/my-pnet/best.ckpt",),
        bundle=BundleSettings(
            name="my-lesions",
            version="0.1.0",
            task="lesions",
            modality="MR FLAIR",
            channels=("FLAIR",),
            license="CC BY 4.0",
            training_data=(TrainingData(name="my cases", cases=10, license="CC BY 4.0"),),
            limits="Trained on ten cases of one scanner.",
        ),
    )


def _both() -> TrainingSettings:
    return dataclasses.replace(_rnet(), task="both", output="runs/my-lesions", pnet=())


def _crf() -> TrainingSettings:
    return TrainingSettings(task="crf", output="runs/my-crf", data=_DATA, crf=CrfTraining())


def _instances() -> TrainingSettings:
    return dataclasses.replace(
        _rnet(),
        task="instances",
        output="runs/my-objects",
        pnet=(),
        best_by="ap50",
        network=NetworkSettings("mask-rcnn"),
        optimization=OptimizationSettings(crop=(32, 128, 128)),
    )


_EXAMPLES: dict[str, Callable[[], TrainingSettings]] = {
    "pnet": _pnet,
    "rnet": _rnet,
    "both": _both,
    "crf": _crf,
    "instances": _instances,
}


def example(task: str) -> TrainingSettings:
    """Return settings for a task, everything at its default that has one.

    Raises:
        InputError: there is no such task.
    """
    if task not in _EXAMPLES:
        close = nearest_name(task, _EXAMPLES)
        meant = "" if close is None else f"; did you mean {close!r}?"
        raise InputError(f"There is no task {task!r} among {', '.join(_EXAMPLES)}{meant}")
    return _EXAMPLES[task]()


def config_template(task: str) -> str:
    """Return a complete, commented YAML configuration for a task; it can be read back.

    Raises:
        InputError: there is no such task.
    """
    return template(example(task), [*OTHER_SOURCES, *_TARGETS, StartSettings(IMAGENET)])
