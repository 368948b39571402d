"""Faults: what goes wrong around ingest and ticker, each on purpose, and what must happen then."""
