"""The ASGI middleware: a page passes by, its slots are filled, everything else leaves as it came.

Pure ASGI: it wraps `send` and nothing else, holds the response's head until the first part of its body, and
builds no response of its own but to a preview link that shows nothing. What tells nothing of a page's slots (not
modified, a range, a head alone) makes it ask the site for the page, once for a path of which nothing is known.
"""

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Final, Protocol

from personalize.privacy_settings import GPC_RESOURCE
from personalize.runtime.page_view import STATE_KEY, PageView
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.preview import PreviewPageView, Previews, Refusal
from personalize.runtime.seen import SeenMarks
from personalize.runtime.variant_view import VariantView
from personalize.web.asgi import ASGIApp, HTTPScope, Receive, Scope, Send
from personalize.web.caching.edge import Edge
from personalize.web.caching.head_policy import policy_of
from personalize.web.fragments.fragment_address import FragmentAddresses
from personalize.web.fragments.fragments import Fragments
from personalize.web.fragments.shell_page import ShellPage, ShellPages
from personalize.web.fragments.shell_response import ShellHead, ShellResponse
from personalize.web.headers import RawHeaders, is_prefetch, wants_html
from personalize.web.html.marks import token_of, without_marks
from personalize.web.html.shells import Shells
from personalize.web.lifespan import Lifespan
from personalize.web.preview.preview import MARK as PREVIEW_MARK
from personalize.web.preview.preview import PreviewedResponse, refuse, without_token
from personalize.web.preview.preview_bar import SlotMarks
from personalize.web.request.asked import Asked
from personalize.web.request.inward import Inward
from personalize.web.request.paths import PathMemory, pattern_of
from personalize.web.request.prefetch import refuse_prefetch
from personalize.web.request.rate_cap import RateCap
from personalize.web.response.asking_again import AskingAgain, briefly, may_be_page, without_body
from personalize.web.response.codings import readable_only
from personalize.web.response.head_response import HeadResponse
from personalize.web.response.held_answer import HeldAnswer, InPlace, is_conditional
from personalize.web.response.outgoing import Outgoing
from personalize.web.response.response import PersonalizedResponse
from personalize.web.response.site_pages import SitePages
from personalize.web.seen.seen_endpoint import SeenEndpoint
from personalize.web.templates.template_engines import TemplateEngine, teach

_SEEN: Final = "personalize.middleware"
#: What lets a site name a file for the server to send: no byte of it would come by here.
_SENDS_FILES: Final = frozenset({"http.response.pathsend", "http.response.zerocopysend"})


class OwnPages(Protocol):
    """Pages of our own beside the site's: an ASGI app that knows which addresses are its own."""

    def serves(self, path: str) -> bool:
        """Whether it answers at this path."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer."""


class PersonalizeMiddleware:
    """Wraps a site. Requests under the settings' prefix go to the first of `pages` that serves them.

    Put it outermost, or inside compression: it has to see the page as plain HTML. Wrapping twice does no harm.
    """

    def __init__(self, app: ASGIApp, personalizer: Personalizer, *, pages: Sequence[OwnPages] = ()) -> None:
        self.app = app
        self.personalizer = personalizer
        self._pages = tuple(pages)
        settings = personalizer.settings
        gpc = settings.privacy.gpc_since is not None
        self._ours = (f"{settings.prefix}/", *([GPC_RESOURCE] if gpc else []))
        self._excluded = pattern_of(settings.excluded) if settings.excluded else None
        self._token = token_of(personalizer.keys[-1]).encode()
        self._previews = Previews(personalizer)
        addresses = FragmentAddresses(personalizer.keys)
        cap = RateCap(settings.cache.slot_requests_per_minute)
        marks = SeenMarks(personalizer.keys) if settings.count_seen else None
        self._fragments = Fragments(personalizer, addresses, marks, cap)
        self._seen = None if marks is None else SeenEndpoint(personalizer, marks, cap)
        self._shell_pages: ShellPages | None = None
        if settings.cache.mode == "fragments":
            self._shell_pages = ShellPages(settings, addresses, self._token, personalizer.health)
        self._edge = Edge(settings.cache)
        policy = policy_of(settings.cache, self._edge)
        self._site = SitePages(self._token, Shells(self._token), PathMemory(), policy, marks)
        self._refuses_prefetch = settings.cache.refuse_prefetch and settings.cache.mode == "private"
        self._inward = Inward(name for names in personalizer.browsers.names for name in names)

    def teach(self, engine: TemplateEngine) -> None:
        """Teach a template engine the slot tag: a Jinja environment `{% slot "name" %}default{% endslot %}` and
        `{{ slot("name", default) }}`, Django's engine the tag alone. Raises TypeError for anything else."""
        teach(engine, token=self._token.decode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection. What the site answers is awaited right here: it is what most requests come for, and
        each coroutine on the way costs them all."""
        kind: str = scope["type"]
        if kind != "http" or _SEEN in scope:
            await (self._lifespan if kind == "lifespan" else self._inside)(scope, receive, send)
            return
        if not self.personalizer.started:
            await self.personalizer.start()
        asked = Asked(scope)
        elsewhere = self._beside_site(asked, receive, send) or self._less_than_page(asked, receive, send)
        if elsewhere is not None:
            await elsewhere
            return
        inner, page_view = self._request(asked, whole=asked.is_get and asked.had_slots is True)
        response = self._response(asked, page_view, receive, send)
        # Whether the client leaves matters where a view may count, and nowhere else: what is sent to us may be long.
        heard = response.receive if asked.is_get and asked.had_slots is not False else receive
        try:  # as in `_run`, without the way there; and what the site told is kept, since nobody asks it again
            await self.app(inner, heard, response.send)
        except BaseException:
            if not response.is_over:
                await response.give_up()
            asked.part_with_scope()
            raise
        if not response.is_over:
            await response.give_up()
        asked.part_with_scope()

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is for the site alone: no request for a page, or one that we are wrapped around already. Where the
        outermost is another installation, nobody would take away what our slot tags mark."""
        if scope.get(_SEEN, self._token) == self._token:
            await self.app(scope, receive, send)
            return
        told = "another installation, with other keys, is wrapped around this one: it alone fills slots"
        self.personalizer.health.tell_once("inside", told)
        with without_marks():
            await self.app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start before the site and stop after it; where the server runs no lifespan, its first request starts us."""
        await Lifespan(self.personalizer, receive, send).run(self.app, scope)

    def _beside_site(self, asked: Asked, receive: Receive, send: Send) -> Awaitable[None] | None:
        """What answers a request that is none for a page of the site as its visitors see it, None for all others."""
        path = asked.path
        if path.startswith(self._ours):
            scope = asked.scope
            if self._fragments.serves(path):
                return self._fragments(scope, path, send)
            if self._seen is not None and self._seen.serves(path):
                return self._seen(scope, path, receive, send)
            for pages in self._pages:
                if pages.serves(path):
                    return pages(self._own_request(asked), receive, send)
        if self.personalizer.off or (self._excluded is not None and self._excluded.fullmatch(path)):
            return self._untouched(asked, receive, send)
        if asked.query_string and asked.query_string.partition(PREVIEW_MARK)[1]:  # `in` would take three times as long
            token, asked.query_string = without_token(asked.query_string)
            asked.scope = {**asked.scope, "query_string": asked.query_string}
            if token is not None and asked.scope["method"] in ("GET", "HEAD"):
                return self._preview(token, asked, receive, send)
        return None

    def _own_request(self, asked: Asked) -> Scope:
        """The request for a page of our own, with a page view that knows whom it is from."""
        page_view = PageView(self.personalizer, asked)
        return {**asked.scope, "state": {**asked.scope.get("state", {}), STATE_KEY: page_view}}

    async def _untouched(self, asked: Asked, receive: Receive, send: Send) -> None:
        """The site as if it stood alone; its code still finds a page view, that of nobody, and slot tags that write
        their defaults alone."""
        nobody = PageView(self.personalizer, asked, is_off=True)
        asked.scope.setdefault("state", {})[STATE_KEY] = nobody
        with without_marks():
            await self.app(asked.scope, receive, send)

    def _less_than_page(self, asked: Asked, receive: Receive, send: Send) -> Awaitable[None] | None:
        """What answers a request that asks for less than a page, or too early, None for all others; what is known of
        the path is noted in `asked`."""
        had_slots = self._site.paths.has_slots(asked.path, self.personalizer.version)
        if self._shell_pages is not None and (conditions := self._conditions(self._shell_pages, asked)):
            asked.conditions, had_slots = conditions, True  # who has such a page has it from here
        asked.had_slots = had_slots
        if had_slots and self._refuses_prefetch and is_prefetch(asked.sent.raw):
            return refuse_prefetch(asked.scope, send)
        if not asked.is_get:
            return self._head(asked, receive, send) if asked.scope["method"] == "HEAD" else None
        if had_slots is None and is_conditional(asked.sent.raw) and _may_be_page(asked):
            return self._conditional(asked, receive, send)
        return None

    def _request(self, asked: Asked, *, whole: bool = False) -> tuple[HTTPScope, PageView]:
        """The request as the site sees it: without our cookies, and without ways to send a page behind our back.

        `whole` asks for the page, whatever copy or part the client would be content with.
        """
        had_slots = asked.had_slots
        is_page = had_slots is not False and bool(asked.scope.get("extensions")) and _may_be_page(asked)
        inner = self._inner(asked, plain=had_slots is True, is_page=is_page, whole=whole)
        if had_slots is None and wants_html(asked.sent.raw):
            inner["headers"] = readable_only(inner["headers"])
        if asked.conditions:
            inner["headers"] += asked.conditions
        page_view = self._shared_view(asked) if self._site.policy.shares else PageView(self.personalizer, asked)
        inner.setdefault("state", {})[STATE_KEY] = page_view
        return inner, page_view

    def _shared_view(self, asked: Asked) -> VariantView:
        """The page view of all of whom the edge tells the same."""
        told = self._edge.told(asked.pairs)
        if not told and self._edge.is_unproven(asked.pairs):
            self.personalizer.health.tell_once("edge", "inputs come without a key of cache.edge_keys: not believed")
        return VariantView(self.personalizer, asked, path=asked.path, told=told)

    def _response(self, asked: Asked, page_view: PageView, receive: Receive, send: Send) -> PersonalizedResponse:
        if self._shell_pages is not None and asked.is_get:
            page = self._shell_page(self._shell_pages, asked)
            return ShellResponse(receive, send, page_view, self._site, asked, page=page)
        return PersonalizedResponse(receive, send, page_view, self._site, asked)

    def _head_response(self, asked: Asked, page_view: PageView, receive: Receive, send: Send) -> HeadResponse:
        if self._shell_pages is not None:
            page = self._shell_page(self._shell_pages, asked)
            return ShellHead(receive, send, page_view, self._site, asked, page=page)
        return HeadResponse(receive, send, page_view, self._site, asked)

    def _shell_page(self, shell_pages: ShellPages, asked: Asked) -> ShellPage:
        return shell_pages.page(asked.path, asked.root_path, self.personalizer.rule_set)

    def _conditions(self, shell_pages: ShellPages, asked: Asked) -> RawHeaders:
        """What to ask of the site's bytes for a client that has a page which is the same for everybody."""
        if asked.scope["method"] not in ("GET", "HEAD"):
            return []
        return self._shell_page(shell_pages, asked).tag.inward(asked.pairs)

    async def _run(self, inner: HTTPScope, receive: Receive, send: Send, response: Outgoing) -> None:
        """Let the site answer. Where it fails, what is held leaves first: the page is cut off where it was."""
        try:
            await self.app(inner, receive, send)
        except BaseException:
            await response.break_off()
            raise

    async def _head(self, asked: Asked, receive: Receive, send: Send) -> None:
        """Answer HEAD. Where nothing is known of the path, and the site sends no page along, it is asked for it."""
        again = asked.again()
        inner, page_view = self._request(asked, whole=bool(asked.had_slots))
        response = self._head_response(asked, page_view, receive, send)
        asking = AskingAgain(response, partial(self._glance_at, again, response), partial(_end, response))
        await asking.after(self._run(inner, response.receive, asking.send, response))

    async def _glance_at(self, asked: Asked, response: HeadResponse) -> None:
        """Ask the site for the page, to see what the answer to HEAD has to promise."""
        if response.disconnected:
            return
        inner, _ = self._request(asked, whole=True)
        async with briefly() as limit:
            response.glance.limit = limit
            await self._run(inner, without_body(response.receive), response.look, response)

    async def _conditional(self, asked: Asked, receive: Receive, send: Send) -> None:
        """Answer who may have a copy, where nothing is known of the path: less than the page tells nothing of it."""
        again = asked.again()
        inner, page_view = self._request(asked)
        response = self._response(asked, page_view, receive, send)
        answer = HeldAnswer(response.send)

        async def ask() -> None:
            if not response.disconnected:
                await self._in_place_of(answer, again, receive, send)

        async def release() -> None:
            await answer.release()
            await _end(response)

        asking = AskingAgain(answer, ask, release)
        await asking.after(self._run(inner, response.receive, asking.send, response))

    async def _in_place_of(self, answer: HeldAnswer, asked: Asked, receive: Receive, send: Send) -> None:
        """Ask the site for the whole page, and send it in place of the answer if it has slots."""
        inner, page_view = self._request(asked, whole=True)
        async with briefly() as limit:
            in_place = InPlace(answer, send, limit)
            page = in_place.page = self._response(asked, page_view, without_body(receive), in_place.send)
            await self._run(inner, page.receive, page.send, page)
            await _end(page)

    def _inner(self, asked: Asked, *, plain: bool, is_page: bool, whole: bool) -> HTTPScope:
        """The request as the site sees it; what the site adds to it, we see.

        Our cookies are hidden. `plain` asks for nothing compressed, `whole` for all of it. Where a page may be asked
        for (`is_page`), the site does not see how to let the server send a file behind our back.
        """
        headers = self._inward.headers(asked, plain=plain, whole=whole)
        if self._site.policy.shares:
            headers = self._edge.without_key(headers)
        asked.scope = inner = asked.scope.copy()
        inner[_SEEN], inner["headers"] = self._token, headers
        if is_page and (extensions := inner.get("extensions")):
            inner["extensions"] = {name: extensions[name] for name in extensions if name not in _SENDS_FILES}
        return inner

    async def _preview(self, token: str, asked: Asked, receive: Receive, send: Send) -> None:
        """A page as the token in its address says, which the site does not see."""
        opened = await self._previews.open(token, asked.path)
        if isinstance(opened, Refusal):
            await refuse(send, opened, asked.root_path + asked.path, asked.query_string)
            return
        marks = SlotMarks()
        inner = self._inner(asked, plain=True, is_page=True, whole=True)
        page_view = PreviewPageView(self.personalizer, asked, opened, mark_item=marks.marked)
        inner.setdefault("state", {})[STATE_KEY] = page_view
        response = PreviewedResponse(send, page_view, marks, token=self._token, method=asked.scope["method"])
        await self.app(inner, receive, response.send)


async def _end(response: Outgoing) -> None:
    """Let go of what is held where the site has returned without an end of its own."""
    if not response.is_over:
        await response.break_off()


def _may_be_page(asked: Asked) -> bool:
    return may_be_page(asked.path, asked.sent.raw)
