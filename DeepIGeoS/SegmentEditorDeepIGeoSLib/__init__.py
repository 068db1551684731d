"""The Segment Editor effect, alone in its folder: Slicer makes the folder's name a module."""
