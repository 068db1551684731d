"""Registering the effect with the Segment Editor."""

from __future__ import annotations

import os


def registerEffect(moduleFolder: str) -> None:
    """Offer the effect in every segment editor; the library is not loaded before it is used."""
    import qSlicerSegmentationsEditorEffectsPythonQt as effects

    instance = effects.qSlicerSegmentEditorScriptedEffect(None)
    source = os.path.join(moduleFolder, "SegmentEditorDeepIGeoSLib", "SegmentEditorEffect.py")
    instance.setPythonSource(source.replace("\\", "/"))
    instance.self().register()
