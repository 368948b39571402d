"""What people would write instead: frozen, so that a ratio means the same next year."""
