"""A sample season of an online shop: its events, its truth, and the player that sends it into Kafka."""
