"""A page as a preview link shows it."""
