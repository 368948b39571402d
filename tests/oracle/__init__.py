"""Expected findings, worked out by brute force and sharing no code with the product."""
