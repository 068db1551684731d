"""What ``deepigeos evaluate`` measures: bundles with switches, and baselines."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

from DeepIGeoSLib.errors import InputError

if TYPE_CHECKING:
    from DeepIGeoSLib.evaluation.methods import Method

_OWN, _NO_MODEL = "deepigeos", "no-model"

# What can be switched for an ablation: values and help. Each is an argument of ``with_switches``.
_SWITCHES = {
    "initial": (
        ("previous", "pnet"),
        "what R-Net sees as the initial segmentation after the first round",
    ),
    "maps": (("geodesic", "euclidean"), "what the distance maps measure"),
    "changes": (
        ("asked", "connected", "any"),
        "which changes a round may make: those that its strokes ask for, of these what hangs "
        "together with a stroke, or any",
    ),
}


@dataclass
class ChosenMethods:
    """What can be measured, and what not.

    Attributes:
        methods: the first one is what the others are compared with.
        not_measured: methods that can't run here, and why.
        notes: sentences for the report.
    """

    methods: list[Method] = field(default_factory=list)
    not_measured: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def add_methods(group: argparse._ArgumentGroup) -> None:
    """Declare the choice of the methods."""
    group.add_argument(
        "--methods",
        metavar="NAME,...",
        help=f"{_OWN}, geodesic, random-walker, max-flow, grow-cut, {_NO_MODEL}, or all; the first "
        f"one is what the others are compared with (default: {_OWN}, from empty masks all)",
    )
    group.add_argument(
        "--margin",
        type=float,
        default=40.0,
        metavar="MM",
        help="baselines see this much around the marks; the rest is background "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--other-bundle",
        action="append",
        default=[],
        metavar="BUNDLE",
        help="another bundle in the same tables, such as one trained in another way; may be given "
        "several times",
    )
    for name, (values, meaning) in _SWITCHES.items():
        group.add_argument(
            f"--{name}",
            metavar="NAME,...",
            help=f"{', '.join(values)}: {meaning}; a line in the tables for each "
            "(default: as the bundle says)",
        )


def chosen_methods(arguments: argparse.Namespace) -> ChosenMethods:
    """Return the methods that the command line names.

    Raises:
        InputError: a name is unknown, or none of them can run.
    """
    from DeepIGeoSLib.evaluation.baselines import BASELINES

    known = (_OWN, *BASELINES, _NO_MODEL)
    if arguments.methods is None:
        names = [_OWN] if arguments.from_empty is None else known
    else:
        names = known if arguments.methods == "all" else _names(arguments, "methods", known)
    chosen = ChosenMethods()
    for name in names:
        if name == _OWN:
            chosen.methods += _sessions(arguments)
        elif name == _NO_MODEL:
            chosen.methods.append(_no_model())
        elif (reason := BASELINES[name].reason_against()) is not None:
            chosen.not_measured[name] = reason
        else:
            chosen.methods.append(BASELINES[name].method(name, arguments.margin))
    if not chosen.methods:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in chosen.not_measured.items())
        raise InputError(f"None of the methods can run here ({reasons}).")
    chosen.notes = _notes(arguments, chosen.methods, names)
    return chosen


def _notes(
    arguments: argparse.Namespace, methods: Sequence[Method], names: Sequence[str]
) -> tuple[str, ...]:
    from DeepIGeoSLib.evaluation.baselines import SeededBaseline

    notes = []
    if _OWN in names:
        notes.append(f"{_OWN} is the bundle {_title(arguments.bundle)}.")
    if _NO_MODEL in names:
        notes.append(f"{_NO_MODEL} is what is offered where there is no model.")
    if any(isinstance(method, SeededBaseline) for method in methods):
        notes.append(
            "Baselines have no network: they start from nothing and see "
            f"{arguments.margin:g} mm around all marks; what lies beyond is background to them."
        )
    return tuple(notes)


def _sessions(arguments: argparse.Namespace) -> list[Method]:
    """Return a session for each bundle and each combination of the switches."""
    switches = [
        _names(arguments, name, values) if getattr(arguments, name) is not None else [None]
        for name, (values, _) in _SWITCHES.items()
    ]
    bundles = {_OWN: arguments.bundle}
    bundles.update({f"bundle={name}": name for name in dict.fromkeys(arguments.other_bundle)})
    return [
        _session(arguments, label, bundle, dict(zip(_SWITCHES, values, strict=True)))
        for label, bundle in bundles.items()
        for values in product(*switches)
    ]


def _session(
    arguments: argparse.Namespace, label: str, bundle: str, chosen: dict[str, Any]
) -> Method:
    from DeepIGeoSLib import InteractiveSession, load_bundle
    from DeepIGeoSLib.evaluation.methods import SessionMethod, with_switches

    words = [label, *(f"{key}={value}" for key, value in chosen.items() if value is not None)]
    session = InteractiveSession(
        with_switches(load_bundle(bundle), **chosen, crf=arguments.crf),
        device=arguments.device,
        engine=arguments.engine,
    )
    return SessionMethod(session, " ".join(words))


def _no_model() -> Method:
    from DeepIGeoSLib import InteractiveSession, load_bundle
    from DeepIGeoSLib.bundles.geodesic import GEODESIC
    from DeepIGeoSLib.evaluation.methods import SessionMethod

    return SessionMethod(InteractiveSession(load_bundle(GEODESIC)), _NO_MODEL)


def _title(bundle: str) -> str:
    from DeepIGeoSLib import load_bundle

    manifest = load_bundle(bundle).manifest
    return f"{manifest.name} {manifest.version}"


def _names(arguments: argparse.Namespace, option: str, known: Sequence[str]) -> list[str]:
    """Return the names in a list separated by commas, each once.

    Raises:
        InputError: one is not known.
    """
    names = [name.strip() for name in getattr(arguments, option).split(",")]
    for name in names:
        if name not in known:
            raise InputError(f"--{option} has {name!r}; known are {', '.join(known)}.")
    return list(dict.fromkeys(names))
