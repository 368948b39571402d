"""The payout: a batch of payments from its draft to its last slice."""
