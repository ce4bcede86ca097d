"""What the small sites share: the same pages with every framework. Their settings: PERSONALIZE_SETTINGS."""

from pathlib import Path

HERE = Path(__file__).parent
PAGES = HERE / "pages"
STATIC = HERE / "static"

#: A page that leaves in parts, one of them within a slot.
PARTS = (
    "<!doctype html><title>In parts</title><p>first</p>",
    '<div data-slot="hero"><p>Default</p></div>',
    '<ul data-slot="row"><li>Nothing',
    " yet</li></ul>",
    "<p>the end</p>",
)
