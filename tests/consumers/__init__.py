"""The edge: how the world comes in, and what is kept out."""
