"""Refinement without a class: image, mask and strokes in, mask out, for any structure."""
