"""How pages live with caches: what heads say to them, and what an edge says of visitors."""
