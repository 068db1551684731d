"""Mask R-CNN (He et al., ICCV 2017) in two and three dimensions: one answer for each object."""
