"""All conditions of a rule set, compiled into one index of bit sets."""
