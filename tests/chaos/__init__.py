"""The kill harness: real ingest and ticker processes, killed at random moments over one log, then judged."""
