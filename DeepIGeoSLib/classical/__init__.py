"""Strokes without a network: regions that grow from them, and borders that follow the image."""
