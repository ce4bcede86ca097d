"""Where it is kept: one protocol, several places."""
