"""What is asked of a shop: every threshold of every rule, validated and dated."""
