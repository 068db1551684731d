"""A volume to try the module on, offered by Slicer's module Sample Data."""

from __future__ import annotations

import os

# TCGA-FG-6692 of the TCGA-LGG collection, FLAIR; DeepIGeoSLib.samples.public_case tells where it
# comes from.
_NAME = "DeepIGeoSFlair"


def registerSampleData(moduleFolder: str) -> None:
    """Register the sample; it is downloaded when the user asks for it."""
    import SampleData

    from DeepIGeoSPanel.library import importLibrary

    sample = importLibrary("DeepIGeoSLib.samples.public_case").TCGA_FG_6692
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="DeepIGeoS",
        sampleName=_NAME,
        uris=[sample.url],
        fileNames=[sample.name],
        nodeNames=[_NAME],
        checksums=[f"SHA256:{sample.sha256}"],
        thumbnailFileName=os.path.join(moduleFolder, "Resources", "Icons", f"{_NAME}.png"),
    )
