"""Training the network for any structure."""
