"""What the networks see: volumes normalized and on a working grid, and distance channels."""
