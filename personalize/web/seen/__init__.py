"""Slots that came into view: the script that watches for it, and the address that it tells."""
