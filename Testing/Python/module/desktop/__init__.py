"""A stand-in for the parts of Slicer's desktop that the module uses, on PySide6 and a real scene.

Widgets are real Qt widgets, loaded from the real .ui file and really clicked; what Slicer adds to
Qt (PythonQt's manners, ctk, MRML widgets, module base classes) is imitated as far as the module
relies on it. Nothing here is Slicer's code.
"""
