"""What the user has chosen; saved with the scene."""

from enum import Enum
from typing import Union

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLVectorVolumeNode
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import parameterNodeWrapper


class OtherSegments(Enum):
    """What the target may do where other segments are."""

    APART = "apart"
    GIVE_WAY = "give way"
    OVERLAP = "EditAllowedEverywhere"
    AVOID_VISIBLE = "EditAllowedOutsideVisibleSegments"
    AVOID_ALL = "EditAllowedOutsideAllSegments"

    def label(self) -> str:
        """Return the text in the selector."""
        return {
            OtherSegments.APART: _("stay apart, if found together"),
            OtherSegments.GIVE_WAY: _("give way, if found together"),
            OtherSegments.OVERLAP: _("may be overlapped"),
            OtherSegments.AVOID_VISIBLE: _("are background, if visible"),
            OtherSegments.AVOID_ALL: _("are background"),
        }[self]

    @property
    def neighbors(self) -> str:
        """What happens to segments that one model has found together."""
        rules = {OtherSegments.APART: "keep", OtherSegments.GIVE_WAY: "give way"}
        return rules.get(self, "overlap")

    @property
    def area(self) -> str:
        """The name of the Segment Editor's mode for where the target may grow."""
        named = (OtherSegments.APART, OtherSegments.GIVE_WAY)
        return OtherSegments.OVERLAP.value if self in named else self.value


@parameterNodeWrapper
class DeepIGeoSParameterNode:
    """What the user has chosen.

    sourceVolume - The image to segment.
    segmentation - Holds the target.
    targetSegmentID - The segment that is filled and corrected.
    bundle - Name or folder of the model; "geodesic" is none, and "" the one that fits the volume.
    crf - Whether the model's CRF smooths the results: "on", "off", or "" as the model recommends.
    autoRefine - Whether each stroke is answered at once.
    otherSegments - Whether the target may overlap other segments, or take their voxels.
    goToChanges - Whether the slice views go to what changed.
    alignViews - Whether the slice views are turned to the volume's planes.
    showSurface - Whether the target's surface is shown in 3D.
    showRegion - Whether the region of influence is shown.
    pinRegion - Whether only that region may change.
    rightButtonPaints - Whether the right button paints the other class.
    outlines - Whether a closed stroke counts as its area.
    """

    # Slicer's wrapper sets the node types of the selector by this, whatever the .ui file says.
    sourceVolume: Union[vtkMRMLScalarVolumeNode, vtkMRMLVectorVolumeNode, None]  # noqa: UP007
    segmentation: vtkMRMLSegmentationNode
    targetSegmentID: str = ""
    bundle: str = ""
    crf: str = ""
    autoRefine: bool = True
    otherSegments: OtherSegments = OtherSegments.APART
    goToChanges: bool = True
    alignViews: bool = True
    showSurface: bool = False
    showRegion: bool = False
    pinRegion: bool = False
    rightButtonPaints: bool = True
    outlines: bool = True
