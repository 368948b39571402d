"""The log's recorders, one module a database, behind ``domain.history.log.LogRecorder``."""
