"""The parts of the module's panel: widgets and dialogs, and nothing that computes.

What the buttons do is in ``DeepIGeoSLib.scene``, which needs no Qt.
"""
