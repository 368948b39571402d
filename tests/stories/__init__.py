"""Stories: what goes wrong in a shop's week, told as plain events, and what must be found of it."""
