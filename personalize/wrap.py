"""Wraps a site: the two lines that a web developer writes."""

import inspect
import os
from pathlib import Path

from personalize.pages.app import Pages
from personalize.runtime.clock import Clock
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.sources import CallableLogin, ConsentSource, FactSource, LoginFunction, LoginSource
from personalize.settings import Settings, find_settings, load_settings
from personalize.stores.protocols import Store
from personalize.web.middleware import ASGIApp, PersonalizeMiddleware


def wrap(
    app: ASGIApp,
    settings: Settings | Path | str | None = None,
    *,
    login: LoginSource | LoginFunction | None = None,
    consent: ConsentSource | None = None,
    facts: FactSource | None = None,
    store: Store | None = None,
    clock: Clock | None = None,
) -> PersonalizeMiddleware:
    """The site with its slots filled: an ASGI app to serve in its place.

    `settings` is a personalize.toml, by default the one that PERSONALIZE_SETTINGS names or the working
    directory holds; without one the defaults count. `login` says who is logged in: a function of the ASGI
    scope, or a `LoginSource`; by default Starlette's `scope["user"]`. `consent` and `facts` replace our own
    consent cookie and add to the facts of a request. Raises `SettingsError` with every
    problem of the settings.
    """
    if not isinstance(settings, Settings):
        settings = load_settings(find_settings(settings, os.environ), os.environ)
    if inspect.iscoroutinefunction(login):
        raise TypeError("login is asked while a page leaves and can't be async: give a plain function of the scope")
    source = CallableLogin(login) if callable(login) else login
    personalizer = Personalizer(settings, store=store, login=source, consent=consent, facts=facts, clock=clock)
    return PersonalizeMiddleware(app, personalizer, pages=Pages(personalizer))
