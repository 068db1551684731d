"""The interactive tool in a browser, on Slicer's own core libraries and trame."""
