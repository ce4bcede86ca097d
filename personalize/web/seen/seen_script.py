"""The script that tells when a slot came into view, and the element that fetches it.

It stands behind what fills a slot, and watches the element before it: half of it, or what fills half of the window, in
view for a second, while the page is shown and not only fetched in advance (the usual measure of the Media Rating
Council). It tells once for each element, under an id that a document has for as long as its address stays the same.
"""

import hashlib
from pathlib import Path

from markupsafe import escape

SCRIPT = Path(__file__).with_name("seen_script.js").read_bytes()
#: Where it tells, and its own name, which changes with every byte of it; both below the prefix.
ENDPOINT = "seen"
FILE_NAME = f"{ENDPOINT}-{hashlib.sha256(SCRIPT).hexdigest()[:12]}.js"


def watching(markup: str, mark: str, prefix: str, nonce: str | None = None) -> str:
    """The markup of a slot, and behind it what watches it: `mark` says which slot that is."""
    carried = "" if nonce is None else f' nonce="{escape(nonce)}"'
    text = "" if "<" in markup else " data-text"
    source = f"{escape(prefix)}/{FILE_NAME}"
    return f'{markup}<script defer src="{source}" data-seen="{escape(mark)}"{text}{carried}></script>'
