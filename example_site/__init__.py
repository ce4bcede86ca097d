"""Fjellbua, a small outdoor shop that shows personalize at work."""
