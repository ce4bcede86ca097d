"""The addresses from which public pages get their slots: one slot for an edge, all slots for our script, the script.

Whatever happens, the answer is 200 and one page's own markup is its worst: an edge would break off the whole page.
"""

import json
import re
from collections.abc import Sequence
from urllib.parse import quote

from personalize.runtime.fragment_view import FragmentView
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.seen import SeenMarks
from personalize.runtime.sources import ScopeLogin
from personalize.visitors.cookies import cookie_values
from personalize.visitors.tokens import KNOWN
from personalize.web.asgi import Scope, Send
from personalize.web.fragments.fragment_address import Fragment, FragmentAddresses, read_slots
from personalize.web.fragments.fragment_script import ENDPOINT, FILE_NAME, SCRIPT
from personalize.web.headers import RawHeaders, value_of
from personalize.web.html.rewriter import MOST_SLOTS
from personalize.web.own_answer import FOR_EVER, OUTDATED, answer
from personalize.web.request.asked import Asked
from personalize.web.request.page_address import read_page_address
from personalize.web.request.rate_cap import RateCap
from personalize.web.seen.seen_script import watching

#: In it an edge tells the address of the page as the visitor asked for it, query and all, which no page of a cache can.
ADDRESS_HEADER = b"x-personalize-address"
#: Stands for an item that shows nothing: where the answer is empty, nginx shows what the page itself has there.
_NOTHING = b" "
_PRIVATE = (
    (b"cache-control", b"private, no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex"),
)
#: Looked at by itself, what stands in a slot is inert: the policy of its page does not come along with it.
_INERT = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox")
_HTML, _JSON, _SCRIPT = (
    (b"content-type", type_)
    for type_ in (b"text/html; charset=utf-8", b"application/json", b"text/javascript; charset=utf-8")
)


class Fragments:
    """Answers below the site's prefix. They set no cookies: many are asked for at once, and none is a navigation.

    Who asks more often than `cap` allows gets the pages' own markup; edges ask for many visitors, and are not counted.
    """

    def __init__(
        self, personalizer: Personalizer, addresses: FragmentAddresses, marks: SeenMarks | None, cap: RateCap
    ) -> None:
        self._personalizer = personalizer
        self._marks = marks
        self._cap = cap
        self._is_by_edge = personalizer.settings.cache.fragments != "script"
        self._addresses = addresses
        self._slot = f"{personalizer.settings.prefix}/slot/"
        prefix = re.escape(personalizer.settings.prefix)
        self._ours = re.compile(rf"{prefix}/(?:slot/[^/]*|{ENDPOINT}|{ENDPOINT}-[0-9a-f]{{12}}\.js)")

    def serves(self, path: str) -> bool:
        """Whether this path, as the site knows it, is one of these addresses."""
        return self._ours.fullmatch(path) is not None

    async def __call__(self, scope: Scope, path: str, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in ("GET", "HEAD"):
            await answer(send, scope, 405, b"", (_HTML, (b"allow", b"GET, HEAD"), *_PRIVATE))
        elif path.startswith(self._slot):
            await self._answer_slot(scope, path.removeprefix(self._slot), send)
        elif path.endswith(f"/{ENDPOINT}"):
            await self._answer_slots(scope, send)
        else:
            kept = FOR_EVER if path.endswith(f"/{FILE_NAME}") else OUTDATED
            await answer(send, scope, 200, SCRIPT, (_SCRIPT, kept, *_PRIVATE[1:]))

    async def _answer_slot(self, scope: Scope, slot_id: str, send: Send) -> None:
        """The markup of one slot as HTML: what was decided, or what the page has there itself."""
        fragment = self._addresses.read_slot(slot_id, scope.get("query_string", b""))
        view = None if fragment is None else self._view(scope, fragment)
        markup = None if view is None else (await self._markups(view, [slot_id]))[0]
        if markup is not None:
            encoding = "ascii" if fragment is not None and fragment.is_ascii else "utf-8"
            body = markup.encode(encoding, "xmlcharrefreplace") or _NOTHING
        else:
            body = fragment.default if fragment is not None else b""
        await answer(send, scope, 200, body, (_HTML, *_PRIVATE, _INERT))
        if view is not None:
            await view.finish(viewed=True)

    async def _answer_slots(self, scope: Scope, send: Send) -> None:
        """The markup of the slots that show something else than the page itself has there, by their ids, as JSON."""
        fragment = read_slots(scope.get("query_string", b""), MOST_SLOTS, scope.get("root_path", ""))
        view = None if fragment is None else self._view(scope, fragment)
        told: dict[str, str] = {}
        if fragment is not None and view is not None:
            markups = await self._markups(view, fragment.slot_ids)
            pairs = zip(fragment.slot_ids, markups, strict=True)
            told = {slot_id: markup for slot_id, markup in pairs if markup is not None}
        await answer(send, scope, 200, json.dumps(told).encode("ascii"), (_JSON, *_PRIVATE))
        if view is not None:
            await view.finish(viewed=True)

    async def _markups(self, view: FragmentView, slot_ids: Sequence[str]) -> Sequence[str | None]:
        """What the slots show, with what tells that they came into view where that is to be counted."""
        markups = await view.markups(slot_ids)
        marks = self._marks
        if marks is None:
            return markups
        return [
            None if markup is None else watching(markup, view.seen_mark(slot_id, marks), view.prefix)
            for slot_id, markup in zip(slot_ids, markups, strict=True)
        ]

    def _view(self, scope: Scope, fragment: Fragment) -> FragmentView | None:
        """The view of the page that a fragment belongs to; None where another site asks for it, or one address too
        often."""
        headers: RawHeaders = list(scope.get("headers", ()))
        if not _is_for_own_page(headers):
            return None
        if not self._is_by_edge and not self._cap.allows(scope, self._personalizer.clock.now()):
            self._personalizer.health.skip_page("rate")
            return None
        if self._cannot_see_login(headers):
            told = "slots of public pages can't see the login in scope['user']: give wrap() one of the request's own"
            self._personalizer.health.tell_once("login", told)
        request = Asked(_page_scope(scope, headers, fragment))
        return FragmentView(self._personalizer, request, before=fragment.before, counts_page=fragment.counts_page)

    def _cannot_see_login(self, headers: RawHeaders) -> bool:
        """Whether this browser was logged in once, by what only the site inside of us can tell."""
        if not isinstance(self._personalizer.login, ScopeLogin):
            return False
        ours = (cookie_values(headers, names.visitor) for names in self._personalizer.browsers.names)
        return any(value.startswith(KNOWN) for values in ours for value in values)


def _is_for_own_page(headers: RawHeaders) -> bool:
    """Whether a browser asks for a page of the site, from wherever, or one of the site's pages for a part of itself.

    What other sites fetch, frame or embed is nobody's page view (Fetch Metadata; browsers do not let pages forge it).
    """
    site, mode = value_of(headers, b"sec-fetch-site"), value_of(headers, b"sec-fetch-mode")
    return site in (None, b"same-origin", b"none") or (mode == b"navigate" and _is_document(headers))


def _is_document(headers: RawHeaders) -> bool:
    return value_of(headers, b"sec-fetch-dest") in (None, b"document")


def _page_scope(scope: Scope, headers: RawHeaders, fragment: Fragment) -> Scope:
    """The request as if it had been made for the page: its path, its query, where its visitor came from.

    The page is no navigation here, so nobody gets an identifier by it.
    """
    page, root_path = fragment.page, scope.get("root_path", "")
    replaced = {b"sec-fetch-dest", ADDRESS_HEADER} | ({b"referer"} if page.referrer is not None else set())
    kept = [(name, value) for name, value in headers if name.lower() not in replaced]
    kept.append((b"sec-fetch-dest", b"empty"))
    if page.referrer:
        kept.append((b"referer", page.referrer.encode("utf-8")))
    return {
        **scope,
        "path": root_path + page.path,
        "raw_path": quote(root_path + page.path).encode("ascii"),
        "query_string": page.query or _told_query(headers, root_path, page.path),
        "headers": kept,
    }


def _told_query(headers: RawHeaders, root_path: str, path: str) -> bytes:
    """The query of the page as an edge tells it, where it tells of the same page."""
    told = value_of(headers, ADDRESS_HEADER)
    page = None if told is None else read_page_address(told.decode("latin-1"))
    return page.query if page is not None and page.path.removeprefix(root_path) == path else b""
