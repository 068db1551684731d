"""Training of Mask R-CNN: crops with numbered objects, its losses, average precision."""
