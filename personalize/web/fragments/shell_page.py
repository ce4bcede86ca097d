"""A page that is the same for everybody: what it is made with, and how its head tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from personalize.rules.pages import Page
from personalize.rules.ruleset import RuleSet
from personalize.runtime.health import Health
from personalize.settings import Settings
from personalize.web.fragments.fragment_address import FragmentAddresses
from personalize.web.fragments.fragment_script import FILE_NAME, script_tag
from personalize.web.fragments.includes import EsiInclude, Include, ScriptInclude, SsiInclude
from personalize.web.fragments.shell_tag import ShellTag
from personalize.web.headers import RawHeaders
from personalize.web.html.script_policy import admission_of, lets_markup_in
from personalize.web.response.response_head import ResponseHead

_INCLUDES: Mapping[str, type[Include]] = {"script": ScriptInclude, "esi": EsiInclude, "ssi": SsiInclude}
_MOST_TAGS = 64
_NO_PAGES: Mapping[str, Page] = {}
_EDGE = b"surrogate-control"
#: Tells an edge that there is ESI to read on this page, which costs it time on any other (W3C Edge Architecture, 2001).
_READS_ESI = b'content="ESI/1.0"'


@dataclass(frozen=True, slots=True)
class ShellPage:
    """What there is to know of one page, but for its bytes.

    `path` is that of the page as the site knows it; `prefix` that of our own addresses as browsers and edges know them;
    `pages` tells by slot id which slots there are and which are decided together.
    """

    path: str
    prefix: str
    pages: Mapping[str, Page]
    include: Include
    addresses: FragmentAddresses
    tag: ShellTag
    health: Health

    @property
    def is_told_by_head(self) -> bool:
        """Whether the head has to say that there is something to be read by an edge."""
        return isinstance(self.include, EsiInclude)

    def script(self, head: ResponseHead) -> bytes | None:
        """What fetches our script, empty where none is needed; None where the page's own policy keeps it out."""
        if not isinstance(self.include, ScriptInclude):
            return b""
        admission = admission_of(head.policies)
        if admission is None or not lets_markup_in(head.policies):
            self.health.tell_once("script policy", "the Content-Security-Policy of a page keeps out our script")
            return None
        return script_tag(self.prefix, admission.nonce)

    def headers(self, head: ResponseHead, length: int | None) -> RawHeaders:
        """The headers of the page with its slots brought from elsewhere: the site's own, but for what would be untrue
        of these bytes; its ETag carries our mark."""
        kept = head.with_length(length)
        if head.etag is not None:
            kept.append((b"etag", self.tag.outward(head.etag)))
        if self.is_told_by_head:
            said = [value for name, value in kept if name.lower() == _EDGE]
            kept = [pair for pair in kept if pair[0].lower() != _EDGE]
            kept.append((_EDGE, b", ".join([*said, _READS_ESI])))
        return kept

    def revalidated(self, head: ResponseHead) -> RawHeaders:
        """The headers of the site's answer that its bytes have not changed, as it is one about this page."""
        return [
            (name, self.tag.outward(value)) if name.lower() == b"etag" else (name, value)
            for name, value in head.headers
        ]


class ShellPages:
    """Makes the pages of one site. `token` is that of its slot tag."""

    def __init__(self, settings: Settings, addresses: FragmentAddresses, token: bytes, health: Health) -> None:
        way = settings.cache.fragments
        self._health = health
        self._include = _INCLUDES[way]()
        self._prefix = settings.prefix
        self._addresses = addresses
        self._parts = (way, FILE_NAME, token.decode("ascii"))
        self._tags: dict[tuple[str | None, str], ShellTag] = {}

    def page(self, path: str, root_path: str, rule_set: RuleSet | None) -> ShellPage:
        """The page of this path, below what the site is mounted at."""
        pages = _NO_PAGES if rule_set is None else rule_set.pages
        prefix = quote(f"{root_path}{self._prefix}", safe="/")
        tag = self._tag(None if rule_set is None else rule_set.version, prefix, pages)
        return ShellPage(path, prefix, pages, self._include, self._addresses, tag, self._health)

    def _tag(self, version: str | None, prefix: str, pages: Mapping[str, Page]) -> ShellTag:
        """The mark of pages with these slots; a version that changes none of them leaves what caches hold as it is."""
        known = self._tags.get((version, prefix))
        if known is None:
            if len(self._tags) >= _MOST_TAGS:
                self._tags.clear()
            slots = (f"{slot_id} {page.name}" for slot_id, page in pages.items())
            known = self._tags[version, prefix] = ShellTag((*self._parts, prefix, *slots))
        return known
