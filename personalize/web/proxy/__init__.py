"""A server of its own in front of a site that is no ASGI app."""
