"""What leaves by itself, to whoever subscribed."""
