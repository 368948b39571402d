"""How the world comes in. Knows the domain only."""
