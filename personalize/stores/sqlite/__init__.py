"""A store in one SQLite file: no server, any number of workers of one machine."""
