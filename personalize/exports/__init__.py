"""What leaves a store and comes back: events, rule sets and profiles as files, and whether they are whole."""
