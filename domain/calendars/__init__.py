"""When somebody works and when days begin: calendars, weekly hours, midnights."""
