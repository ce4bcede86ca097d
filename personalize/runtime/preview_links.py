"""Links on which the running site shows a page as somebody else would see it: signed, bound to a page and a draft."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

#: How long a link works.
LINK_LASTS = timedelta(minutes=60)
#: The parameter of an address that carries the token.
PARAMETER = "pz_preview"
_LONGEST_TOKEN = 2_000


@dataclass(frozen=True, slots=True)
class Preview:
    """What a link shows: this path, by this version of the rules, as this persona, at this moment.

    Without a persona as a stranger, of whom nothing is known; without a moment at that of the request.
    """

    version: str
    path: str
    expires_at: datetime
    persona_id: str | None = None
    at: datetime | None = None


class PreviewLinks:
    """Signs previews and reads them back.

    `keys` are those that sign cookies, oldest to newest; what was signed as anything else than a preview is not
    accepted. HMAC with SHA-256, by itsdangerous. The text is not secret: it names the persona.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._serializer = URLSafeSerializer(
            list(keys), salt="preview", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def sign(self, preview: Preview) -> str:
        """The token of a preview, which may stand in an address as it is."""
        moment = None if preview.at is None else preview.at.isoformat()
        told = [preview.version, preview.path, int(preview.expires_at.timestamp()), preview.persona_id, moment]
        return str(self._serializer.dumps(told))

    def read(self, token: str) -> Preview | None:
        """The preview in a token that `sign` made, or None for any other text; never raises."""
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            return None
        try:
            told: Any = self._serializer.loads(token)
        except BadData:
            return None
        version, path, expires, persona_id, moment = told
        at = None if moment is None else datetime.fromisoformat(moment)
        return Preview(version, path, datetime.fromtimestamp(expires, UTC), persona_id, at)
