"""Sources: up to when each has spoken, and for how long it was silent."""
