"""Interactive segmentation: a session, its rounds, and what strokes do in them."""
