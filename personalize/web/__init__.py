"""The site's side: the middleware and what it does to a response."""
