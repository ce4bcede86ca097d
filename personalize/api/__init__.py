"""The JSON API: what other channels than the site's own pages ask and tell."""
