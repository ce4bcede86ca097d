"""The language that content editors write, and the one evaluator behind it."""
