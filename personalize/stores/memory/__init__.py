"""A store in this process's memory: for tests, and for what the past looked like."""
