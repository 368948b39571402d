"""Everything that leaves: what is known, over HTTP and as a live feed, and the page that shows it."""
