"""The modules of the package that work while a page is filled, found by asking the interpreter."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import personalize
from benchmarks.page_overhead import KEY, one_request, wrap_again
from benchmarks.shop_site import SLOTS, headers_of, open_shop, page, site, visitors_of, write_desk
from personalize.settings import load_settings
from personalize.stores.protocols import Store
from personalize.web.html.marks import close_mark, open_mark, token_of
from personalize.wrap import wrap


async def modules_at_work(folder: Path, store: Store | None) -> set[str]:
    """The modules that work on pages with slots by the tag and by attributes, as paths from the checkout; without a
    `store`, profiles lie in SQLite. What is compiled shows nothing of itself."""
    rules = write_desk(folder, 20)
    settings = load_settings(None, {}, root=folder, secret_keys=[KEY], store="sqlite:store.db")
    token = token_of(KEY)
    by_tag = page(lambda slot_id: f"{open_mark(token, slot_id)}<p>Default</p>{close_mark(token)}")
    by_attribute = page(lambda slot_id: f'<section data-slot="{slot_id}"><p>Default</p></section>')
    app = wrap(site(by_tag), settings, store=store)
    visitors = visitors_of(rules, app.personalizer)
    await open_shop(app.personalizer, settings, visitors)
    at_work = set[str]()
    for each in (app, wrap_again(app, site(by_attribute))) * 2:
        with noting(at_work):
            body = await one_request(each, headers_of(visitors[0].cookies))
        assert body.count(b"For you, place-") == len(SLOTS)
    await app.personalizer.stop()
    return at_work


@contextmanager
def noting(at_work: set[str]) -> Iterator[None]:
    """Note the modules of ours whose functions are called in this thread."""
    package = Path(personalize.__file__).parent

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(package):
            at_work.add(path.relative_to(package.parent).as_posix())

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)
