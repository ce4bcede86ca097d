"""Pages of our own that a visitor meets: consent."""
