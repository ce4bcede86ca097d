"""What can be proved of conditions: who never sees anything, and an example of each who does."""
