"""How it runs: the only package that may know all others, and that nobody imports."""
