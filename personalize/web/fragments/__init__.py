"""Pages that are the same for everybody, and the addresses from which they get each visitor's slots."""
