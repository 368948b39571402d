"""Intake: which streams a fact concerns, what is read ahead for it, and one try at one batch."""
