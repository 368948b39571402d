"""The desk over HTTP: who sends a command, and what it is answered."""
