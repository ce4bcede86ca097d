"""One answer of the site on its way out."""
