"""The store: what commits together, and the traps it must not fall into."""
