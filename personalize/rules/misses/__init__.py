"""What would have to be different for a rule to match."""
