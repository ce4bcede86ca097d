"""The bytes of a page: where slots stand in them, and what leaves in their place."""
