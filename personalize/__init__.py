"""Server-side personalization for any ASGI site: slots filled by rules that editors write.

`wrap` is all that most sites need; everything else here is for sites that want more. Names that are not
listed in `__all__` may change without notice. Each is imported when it is first asked for, so that the command
`personalize` starts without the web framework; `wrap`, whose module has the same name, imports little itself.
"""

import importlib
import typing

from personalize.wrap import wrap

if typing.TYPE_CHECKING:
    from personalize.content.item import ContentItem
    from personalize.decisions.context import Context, RequestFacts
    from personalize.decisions.decide import decide
    from personalize.decisions.decision import Decision, Reason
    from personalize.errors import (
        EventConflict,
        EventRefused,
        InvalidFiles,
        PersonalizeError,
        SettingsError,
        StoreError,
    )
    from personalize.events.event import Event
    from personalize.pages.you import YourPage
    from personalize.profiles.profile import Profile
    from personalize.rules.own_facts import Occasion, OwnFacts
    from personalize.rules.ruleset import RuleSet
    from personalize.runtime.clock import Clock, FixedClock
    from personalize.runtime.page_view import PageView, page_view_of
    from personalize.runtime.personalizer import Personalizer
    from personalize.runtime.sources import (
        Authorizer,
        ConsentSource,
        FactSource,
        HeaderLogin,
        LoginSource,
        Scope,
        ScopeLogin,
    )
    from personalize.settings import Settings, load_settings
    from personalize.stores.protocols import Store
    from personalize.visitors.consent import Consent
    from personalize.visitors.identity import Identity
    from personalize.web.middleware import PersonalizeMiddleware

__all__ = [
    "Authorizer",
    "Clock",
    "Consent",
    "ConsentSource",
    "ContentItem",
    "Context",
    "Decision",
    "Event",
    "EventConflict",
    "EventRefused",
    "FactSource",
    "FixedClock",
    "HeaderLogin",
    "Identity",
    "InvalidFiles",
    "LoginSource",
    "Occasion",
    "OwnFacts",
    "PageView",
    "PersonalizeError",
    "PersonalizeMiddleware",
    "Personalizer",
    "Profile",
    "Reason",
    "RequestFacts",
    "RuleSet",
    "Scope",
    "ScopeLogin",
    "Settings",
    "SettingsError",
    "Store",
    "StoreError",
    "YourPage",
    "decide",
    "load_settings",
    "page_view_of",
    "wrap",
]

#: The module where each public name lives that is imported when it is asked for.
_HOMES = {
    "Authorizer": "personalize.runtime.sources",
    "Clock": "personalize.runtime.clock",
    "Consent": "personalize.visitors.consent",
    "ConsentSource": "personalize.runtime.sources",
    "ContentItem": "personalize.content.item",
    "Context": "personalize.decisions.context",
    "Decision": "personalize.decisions.decision",
    "Event": "personalize.events.event",
    "EventConflict": "personalize.errors",
    "EventRefused": "personalize.errors",
    "FactSource": "personalize.runtime.sources",
    "FixedClock": "personalize.runtime.clock",
    "HeaderLogin": "personalize.runtime.sources",
    "Identity": "personalize.visitors.identity",
    "InvalidFiles": "personalize.errors",
    "LoginSource": "personalize.runtime.sources",
    "Occasion": "personalize.rules.own_facts",
    "OwnFacts": "personalize.rules.own_facts",
    "PageView": "personalize.runtime.page_view",
    "PersonalizeError": "personalize.errors",
    "PersonalizeMiddleware": "personalize.web.middleware",
    "Personalizer": "personalize.runtime.personalizer",
    "Profile": "personalize.profiles.profile",
    "Reason": "personalize.decisions.decision",
    "RequestFacts": "personalize.decisions.context",
    "RuleSet": "personalize.rules.ruleset",
    "Scope": "personalize.runtime.sources",
    "ScopeLogin": "personalize.runtime.sources",
    "Settings": "personalize.settings",
    "SettingsError": "personalize.errors",
    "Store": "personalize.stores.protocols",
    "StoreError": "personalize.errors",
    "YourPage": "personalize.pages.you",
    "decide": "personalize.decisions.decide",
    "load_settings": "personalize.settings",
    "page_view_of": "personalize.runtime.page_view",
}


def __getattr__(name: str) -> object:
    """A public name, imported when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, imported or not, and what every module has."""
    return sorted({*globals(), *__all__})
