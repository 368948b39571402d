"""The domain: what may happen, and what is wrong."""
