"""What happened? Events, what a site declares of them, and how they are checked."""
