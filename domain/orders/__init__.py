"""The order: what was promised, what must ship, and how much of it has come."""
