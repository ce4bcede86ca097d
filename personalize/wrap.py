"""Wraps a site: the two lines that a web developer writes.

Every `import personalize` imports this module, that of the command line, too; so the web framework waits for a call.
"""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING

from personalize.settings import Settings, find_settings, load_settings

if TYPE_CHECKING:
    from personalize.pages.you import Translate
    from personalize.runtime.clock import Clock
    from personalize.runtime.sources import Authorizer, ConsentSource, FactSource, LoginFunction, LoginSource
    from personalize.stores.protocols import Store
    from personalize.web.asgi import ASGIApp
    from personalize.web.middleware import PersonalizeMiddleware


def wrap(
    app: ASGIApp,
    settings: Settings | Path | str | None = None,
    *,
    login: LoginSource | LoginFunction | None = None,
    consent: ConsentSource | None = None,
    facts: FactSource | None = None,
    store: Store | None = None,
    clock: Clock | None = None,
    translate: Translate | None = None,
    staff: Authorizer | LoginFunction | None = None,
) -> PersonalizeMiddleware:
    """The site with its slots filled: an ASGI app to serve in its place.

    `settings` is a personalize.toml, by default the one that PERSONALIZE_SETTINGS names or the working
    directory holds; without one the defaults count. `login` says who is logged in: a function of the ASGI
    scope, or a `LoginSource`; by default Starlette's `scope["user"]`. `consent` and `facts` replace our own
    consent cookie and add to the facts of a request. `translate` says the sentences of our visitors' page in the
    site's own words. `staff` says who may look at visitors at the till: a function of the scope that gives their name,
    or None; without it, there is no such page. Raises `SettingsError` with every problem of the settings.
    """
    from personalize.api.app import Api  # noqa: PLC0415
    from personalize.pages.app import Pages  # noqa: PLC0415
    from personalize.pages.you import as_written  # noqa: PLC0415
    from personalize.runtime.personalizer import Personalizer  # noqa: PLC0415
    from personalize.runtime.sources import CallableAuthorizer, CallableLogin  # noqa: PLC0415
    from personalize.web.middleware import PersonalizeMiddleware  # noqa: PLC0415

    if not isinstance(settings, Settings):
        settings = load_settings(find_settings(settings, os.environ), os.environ)
    if inspect.iscoroutinefunction(login):
        raise TypeError("login is asked while a page leaves and can't be async: give a plain function of the scope")
    source = CallableLogin(login) if callable(login) else login
    personalizer = Personalizer(settings, store=store, login=source, consent=consent, facts=facts, clock=clock)
    served_by = CallableAuthorizer(staff) if callable(staff) else staff
    pages = Pages(personalizer, translate or as_written, served_by)
    return PersonalizeMiddleware(app, personalizer, pages=[pages, Api(personalizer)])
