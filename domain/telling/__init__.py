"""Telling: what single subjects mean for groups, and which finding speaks for which."""
