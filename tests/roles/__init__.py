"""Several processes with the same role over one store: who ends, hangs or comes back, loses and doubles nothing."""
