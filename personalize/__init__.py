"""Server-side personalization for any ASGI site: slots filled by rules that editors write."""
