"""What piles up or has one cause: backlogs, clusters, price cuts, and when they are more than chance."""
