"""The language of the trade: what may happen, and what is wrong. No I/O, no clock, no randomness."""
