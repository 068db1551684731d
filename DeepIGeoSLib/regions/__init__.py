"""Regions that grow from strokes by the image alone: measured, weighed, and moved to edges."""
