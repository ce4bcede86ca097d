"""Server-side personalization for any ASGI site: slots filled by rules that editors write.

`wrap` is all that most sites need; everything else here is for sites that want more. Names that are not
listed in `__all__` may change without notice.
"""

from personalize.content.item import ContentItem
from personalize.decisions.context import Context, RequestFacts
from personalize.decisions.decide import decide
from personalize.decisions.decision import Decision, Reason
from personalize.errors import (
    EventRefused,
    InvalidFiles,
    PersonalizeError,
    SettingsError,
    StoreError,
)
from personalize.events.event import Event
from personalize.profiles.profile import Profile
from personalize.rules.own_facts import Occasion, OwnFacts
from personalize.rules.ruleset import RuleSet
from personalize.runtime.clock import Clock, FixedClock
from personalize.runtime.page_view import PageView
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.sources import ConsentSource, FactSource, HeaderLogin, LoginSource, Scope, ScopeLogin
from personalize.settings import Settings, load_settings
from personalize.stores.protocols import Store
from personalize.visitors.consent import Consent
from personalize.visitors.identity import Identity
from personalize.web.middleware import PersonalizeMiddleware, page_view_of
from personalize.wrap import wrap

__all__ = [
    "Clock",
    "Consent",
    "ConsentSource",
    "ContentItem",
    "Context",
    "Decision",
    "Event",
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
    "decide",
    "load_settings",
    "page_view_of",
    "wrap",
]
