"""The bytes of every event version ever stored."""
