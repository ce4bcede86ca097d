"""The script that brings the slots of a public page into the browser, and where it is fetched from.

One request brings all slots of the page, and again those of what is put into it later. A slot whose own markup stays is
not touched; whatever fails, all of them keep theirs. A page that the browser kept is asked for anew when it is shown
again, since somebody may have logged out meanwhile. Each time the event `personalize` tells the site's own scripts.
"""

import hashlib
from pathlib import Path

from markupsafe import escape

SCRIPT = Path(__file__).with_name("fragment_script.js").read_bytes()
#: Where it asks, and its own name, which changes with every byte of it; both below the prefix.
ENDPOINT = "slots"
FILE_NAME = f"{ENDPOINT}-{hashlib.sha256(SCRIPT).hexdigest()[:12]}.js"


def script_tag(prefix: str, nonce: str | None) -> bytes:
    """The element that fetches it; `nonce` is the one that the page's own policy names."""
    carried = "" if nonce is None else f' nonce="{escape(nonce)}"'
    return f'<script defer src="{escape(prefix)}/{FILE_NAME}"{carried}></script>'.encode()
