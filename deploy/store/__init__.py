"""The log's recorders, one module a database, behind ``domain.log.LogRecorder``."""
