"""The ground that every page view stands on: what a rule set says of all visitors, whoever is looking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from types import MappingProxyType

from personalize.events.schema import DEFAULT_PURPOSE
from personalize.rules.facts import Fact


@dataclass(frozen=True, slots=True)
class Ground:
    """What the contexts of a rule set have in common.

    `facts` are those that it reads, by name; any other is missing. `zone` is the site's. `purposes` are those of the
    declared attributes, so that attributes a template may show are cut as well; who has granted `all_purposes` has
    nothing cut. `zone_attribute` names the attribute that tells the visitor's time zone, and `organization_attribute`
    the one that names their organization: who may not be known by it belongs to none.
    """

    facts: Mapping[str, Fact]
    zone: tzinfo
    purposes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    zone_attribute: str | None = None
    organization_attribute: str | None = None
    all_purposes: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "all_purposes", frozenset({DEFAULT_PURPOSE, *self.purposes.values()}))
