"""The site's own facts: found by the setting that names them, and asked so that no page breaks on them."""

import importlib
import sys
from collections.abc import Callable, Mapping
from datetime import datetime

from personalize.errors import AwayFromRequest, EventRefused
from personalize.events.values import Reader
from personalize.problems import Problems, quoted
from personalize.rules.conventions import Conventions
from personalize.rules.fact_values import fact_value
from personalize.rules.facts import Fact
from personalize.rules.own_facts import NO_OWN_FACTS, Occasion, OwnFact, OwnFacts
from personalize.rules.unanswerable import Unanswerable
from personalize.runtime.sources import Scope
from personalize.settings import Settings

#: Told of what went wrong and of the error, if there is one.
Failed = Callable[[str, BaseException | None], None]


def load_own_facts(settings: Settings, problems: Problems) -> Mapping[str, OwnFact] | None:
    """The facts that the setting `own_facts` names; None where they can't be loaded, with the problem said.

    Modules beside the settings file are found, wherever a command is run.
    """
    if settings.own_facts is None:
        return NO_OWN_FACTS
    module_name, _, attribute = settings.own_facts.partition(":")
    if str(settings.root) not in sys.path:
        sys.path.append(str(settings.root))
    try:
        found: object = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, SyntaxError, ValueError) as error:
        hint = "own_facts in the settings names a module, a colon, and the OwnFacts in it"
        reason = f"{type(error).__name__}: {error}"
        problems.error(
            "E250", f"the site's own facts {quoted(settings.own_facts)} can't be loaded: {reason}", hint=hint
        )
        return None
    if not isinstance(found, OwnFacts):
        hint = "write own_facts = OwnFacts() there, and declare facts with its decorators"
        problems.error("E250", f"{quoted(settings.own_facts)} is a {type(found).__name__}, no OwnFacts", hint=hint)
        return None
    return found


class OwnFactsAsked:
    """Asks the site's own facts for one visitor.

    One that raises is `Unanswerable`, one of another type than declared is missing; `failed` is told of both, by the
    name of the fact. Without a `scope` no page is asked for, and facts that look at one are missing.
    """

    def __init__(
        self,
        own_facts: Mapping[str, OwnFact],
        conventions: Conventions,
        now: datetime,
        *,
        scope: Callable[[], Scope] | None,
        failed: Failed,
    ) -> None:
        self._own_facts = own_facts
        self._conventions = conventions
        self._now = now
        self._scope = scope
        self._failed = failed

    def __call__(self, fact: Fact, read: Mapping[str, object]) -> object:
        """The value of this fact, given those that it reads."""
        declared = self._own_facts[fact.key]
        occasion = Occasion(read, self._now, None if self._scope is None else self._scope())
        try:
            answer = declared.work_out(occasion, fact.argument)
            return None if answer is None else self._typed(answer, declared, fact)
        except AwayFromRequest:
            return None
        except Exception as error:  # noqa: BLE001  recognising the visitor must not break the page
            self._failed(f"the site's own fact {declared.name} raised", error)
            return Unanswerable.RAISED

    def _typed(self, answer: object, declared: OwnFact, fact: Fact) -> object:
        reader = Reader(declared.name, self._conventions.currency_digits, self._conventions.zone, private=True)
        try:
            kept = reader.read(answer, declared.shape)
        except EventRefused as error:
            self._failed(f"the site's own fact {declared.name} is not of its type", error)
            return None
        zone = self._conventions.zone
        if not isinstance(kept, list):
            return fact_value(kept, fact.type, zone)
        return [value for item in kept if (value := fact_value(item, fact.type, zone)) is not None] or None
