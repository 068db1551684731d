"""Voxels in arrays and in the patient: boxes, directions, lattices, resampling."""
