"""Training of P-Net and R-Net: ``deepigeos train CONFIG``."""
