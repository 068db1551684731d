"""What the computations run on, and one offer to make them faster."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import platform
import sys

import numpy as np
import qt
import slicer
from slicer.i18n import tr as _

from DeepIGeoSPanel import first_use

_SETTING = "DeepIGeoS/SpeedUpOffered"

# As in pyproject.toml.
_NUMBA = "numba>=0.60,<0.69"


class SpeedUp:
    """One line that tells what runs, and a row that offers numba once."""

    def __init__(
        self,
        runsLabel: qt.QLabel,
        *,
        row: qt.QWidget,
        offerLabel: qt.QLabel,
        installButton: qt.QPushButton,
        laterButton: qt.QPushButton,
    ) -> None:
        """Connect the widgets; the row is shown only while there is something to offer."""
        self._runs, self._row, self._offer = runsLabel, row, offerLabel
        installButton.connect("clicked(bool)", self._onInstall)
        laterButton.connect("clicked(bool)", self._onLater)
        offerLabel.setText(
            _(
                "numba (64 MB to download, 208 MB on disk) computes the distance map of a stroke "
                "about 20 times faster: in 0.01 instead of 0.2 seconds."
            )
        )
        offered = bool(qt.QSettings().value(_SETTING))
        row.setVisible(_installable() and not _installed("numba") and not offered)
        self._showRuns()

    def _showRuns(self) -> None:
        torch = _version("torch")
        networks = _("PyTorch {version}").format(version=torch) if torch else _("no PyTorch")
        maps = _("numba {version}").format(version=_version("numba") or "")
        if not _installed("numba"):
            maps = _("NumPy (slower)")
        self._runs.setText(
            _("Networks: {networks}; distance maps: {maps}").format(networks=networks, maps=maps)
        )

    def _onInstall(self, checked: bool = False) -> None:
        # Slicer's own packages are compiled for its NumPy, which must stay.
        try:
            first_use.pipInstall(_NUMBA, f"numpy=={np.__version__}")
        except first_use.INSTALLATION_ERRORS as error:
            logging.exception("Installation failed")
            self._offer.setText(
                _("numba could not be installed: {error}. All works without it.").format(
                    error=error
                )
            )
            return
        importlib.invalidate_caches()
        self._close()
        self._runs.setText(_("numba is installed; it runs from the next start of Slicer."))

    def _onLater(self, checked: bool = False) -> None:
        self._close()

    def _close(self) -> None:
        qt.QSettings().setValue(_SETTING, "yes")
        self._row.setVisible(False)


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _installable() -> bool:
    """Whether there is a numba that leaves NumPy as it is: on Intel Macs the last one doesn't."""
    intelMac = sys.platform == "darwin" and platform.machine() == "x86_64"
    return not intelMac and not slicer.app.testingEnabled()
