"""The complaint, and the case that complaints of one trouble are handled as."""
