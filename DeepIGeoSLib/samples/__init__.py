"""Volumes to show the method on, and made-up ones to train on."""
