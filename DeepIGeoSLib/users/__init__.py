"""Simulated users, who mark where a segmentation is wrong: for training and evaluation."""
