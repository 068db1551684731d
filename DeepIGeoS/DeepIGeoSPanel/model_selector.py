"""The selector of the model: shipped ones, the user's own, and none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from DeepIGeoSPanel.library import importLibrary

_SETTING = "DeepIGeoS/BundleFolders"


class ModelSelector:
    """Lists the models that there are, and tells what the chosen one is.

    Attributes:
        crf: whether the shown model recommends its CRF; None when it has none.
    """

    def __init__(
        self,
        comboBox: qt.QComboBox,
        infoLabel: qt.QLabel,
        addButton: qt.QPushButton,
        *,
        chosen: Callable[[str], Any],
    ) -> None:
        """Fill ``comboBox``; ``chosen`` is called with the name or folder of a model."""
        self._comboBox = comboBox
        self._info = infoLabel
        self._chosen = chosen
        # A long name must not widen the panel; the list that opens shows it whole.
        comboBox.setSizeAdjustPolicy(qt.QComboBox.AdjustToMinimumContentsLengthWithIcon)
        comboBox.setMinimumContentsLength(8)
        self.crf = None
        self.refresh()
        comboBox.connect("activated(int)", self._onActivated)
        addButton.connect("clicked(bool)", self._onAdd)

    def fitting(self, volumeNode: Any) -> str:
        """Return the model to begin with: one that is made for such a volume, else any-structure.

        Args:
            volumeNode: vtkMRMLScalarVolumeNode, or None.
        """
        name = "" if volumeNode is None else volumeNode.GetName()
        usual = importLibrary("DeepIGeoSLib.bundles").bundle_for(name)
        return self._comboBox.itemData(max(0, self._comboBox.findData(usual)))

    @property
    def text(self) -> str:
        """What is shown as selected."""
        return self._comboBox.currentText

    def refresh(self) -> None:
        """Read which models there are."""
        bundles = importLibrary("DeepIGeoSLib.bundles")
        self._comboBox.clear()
        for name in [*bundles.list_bundles(), *self._folders()]:
            try:
                summary = bundles.summary_of(name)
            except bundles.BundleError:
                continue  # a folder of the user's that was moved or deleted
            self._comboBox.addItem(summary.title, name)
        self._comboBox.addItem(_("No model: from your strokes alone"), bundles.GEODESIC)

    def show(self, bundle: str) -> None:
        """Select a model and tell about it."""
        self._comboBox.setCurrentIndex(max(0, self._comboBox.findData(bundle)))
        bundles = importLibrary("DeepIGeoSLib.bundles")
        self.crf = None
        if bundle == bundles.GEODESIC:
            self._info.setText(_("Works at once, for any structure, without PyTorch."))
            return
        summary = bundles.summary_of(bundle)
        self.crf = summary.crf
        self._info.setText(
            _("{task}; {modality}; license: {license}; {size:.1f} MB").format(
                task=", ".join(summary.targets) or summary.task,
                modality=summary.modality,
                license=summary.license,
                size=summary.megabytes,
            )
        )

    def add(self, folder: str) -> None:
        """Add a model of the user's to the list, for good, and choose it.

        Raises:
            BundleError: it is no model.
        """
        importLibrary("DeepIGeoSLib.bundles").load_bundle(folder)
        folders = [*(known for known in self._folders() if known != folder), folder]
        qt.QSettings().setValue(_SETTING, "\n".join(folders))
        self.refresh()
        self.show(folder)
        self._chosen(folder)

    def _folders(self) -> list[str]:
        return [line for line in (qt.QSettings().value(_SETTING) or "").split("\n") if line]

    def _onActivated(self, index: int) -> None:
        bundle = self._comboBox.itemData(index)
        self.show(bundle)
        self._chosen(bundle)

    def _onAdd(self, checked: bool = False) -> None:
        folder = qt.QFileDialog.getExistingDirectory(
            slicer.util.mainWindow(), _("Choose the folder of a model")
        )
        if folder:
            with slicer.util.tryWithErrorDisplay(_("This folder holds no model.")):
                self.add(folder)
