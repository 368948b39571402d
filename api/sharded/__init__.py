"""Several logs behind one feed: how each stands, and what is seen in two of them."""
