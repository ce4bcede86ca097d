"""Reads `organization:`: what visitors belong to, such as a company, and what its members share."""

from collections import abc
from collections.abc import Callable, Iterable
from types import MappingProxyType

from personalize.events.schema import Attribute, OrganizationType, Schema
from personalize.problems import did_you_mean, quoted
from personalize.profiles.organization import NAMING_TYPES
from personalize.rules.facts import ORGANIZATION_KEYS
from personalize.rules.reading.gaps import Gaps, Kind
from personalize.rules.reading.reading import Reading
from personalize.yaml_tree import Mapping, Node, Scalar

ORGANIZATION_KEYS_WRITTEN = ("title", "by", "shares", "attributes")
_WHAT = "`organization`"


class OrganizationReader:
    """Reads the one declaration of what visitors belong to. `own_attributes` reads what stands below `attributes`."""

    def __init__(
        self,
        reading: Reading,
        gaps: Gaps,
        schema: Schema,
        own_attributes: Callable[[Node], abc.Mapping[str, Attribute]],
    ) -> None:
        self._reading = reading
        self._problems = reading.problems
        self._gaps = gaps
        self._schema = schema
        self._own_attributes = own_attributes

    def organization(self, entries: Iterable[tuple[Scalar, Node]]) -> OrganizationType | None:
        """What these entries declare; None where there are none, or something is wrong with them."""
        written = {key.text: (key, node) for key, node in entries}
        if not written:
            return None
        found_before = len(self._problems)
        self._refuse_unknown(written)
        declared = OrganizationType(
            by=self._by(written) or "",
            title=self._title(written),
            shares=tuple(self._shares(written)),
            attributes=MappingProxyType(self._own(written)),
        )
        if len(self._problems) == found_before and declared.by:
            return declared
        self._gaps.add(Kind.ORGANIZATION, "organization")
        return None

    def _refuse_unknown(self, written: abc.Mapping[str, tuple[Scalar, Node]]) -> None:
        for key, _ in written.values():
            if key.text not in ORGANIZATION_KEYS_WRITTEN:
                allowed = ORGANIZATION_KEYS_WRITTEN
                hint = did_you_mean(key.text, allowed) or f"what may stand here: {', '.join(allowed)}"
                self._problems.error("E201", f"{_WHAT} has no {quoted(key.text)}", key, hint)

    def _title(self, written: abc.Mapping[str, tuple[Scalar, Node]]) -> str:
        found = self._reading.scalars(written["title"][1], f'"title" of {_WHAT}') if "title" in written else ()
        return found[0].text if found else "Organization"

    def _by(self, written: abc.Mapping[str, tuple[Scalar, Node]]) -> str | None:
        """The attribute that says which organization somebody belongs to: what they can't say themselves."""
        if "by" not in written:
            first = next(iter(written.values()))[0]
            hint = "name the attribute that says which one somebody belongs to, as in by: company"
            self._problems.error("E202", f'{_WHAT} needs "by"', first, hint)
            return None
        node = written["by"][1]
        name = next((one.text for one in self._reading.scalars(node, f'"by" of {_WHAT}')), "")
        attribute = self._schema.attributes.get(name)
        if attribute is None:
            if name and not self._gaps.may_define(Kind.ATTRIBUTE, name):
                self._unknown("by", "attribute", name, node, self._schema.attributes)
            return None
        if attribute.shape.type not in NAMING_TYPES:
            hint = "an organization is named by a text or a choice"
            said = f"{quoted(name)} can't name an organization: its type is {attribute.shape.type}"
            self._problems.error("E260", said, node, hint)
        elif attribute.from_browser:
            hint = "take `from_browser` away: the server, an import or the API says who belongs where"
            said = f"a browser may send {quoted(name)}, so anybody could say that they belong to any organization"
            self._problems.error("E260", said, node, hint)
        return name

    def _shares(self, written: abc.Mapping[str, tuple[Scalar, Node]]) -> Iterable[str]:
        if "shares" not in written:
            return
        for named in self._reading.scalars(written["shares"][1], f'"shares" of {_WHAT}'):
            if named.text in self._schema.events:
                yield named.text
            elif not self._gaps.may_define(Kind.EVENT, named.text):
                self._unknown("shares", "event", named.text, named, self._schema.events)

    def _own(self, written: abc.Mapping[str, tuple[Scalar, Node]]) -> dict[str, Attribute]:
        own = dict(self._own_attributes(written["attributes"][1])) if "attributes" in written else {}
        for name in ORGANIZATION_KEYS:
            if own.pop(name, None) is not None:
                said = f"`organization.{name}` is a fact of every organization"
                node = written["attributes"][1]
                key = node.key_node(name) if isinstance(node, Mapping) else None
                self._problems.error("E261", said, key, f"call the attribute {quoted(name)} otherwise")
        return own

    def _unknown(self, key: str, kind: str, name: str, node: Node, known: Iterable[str]) -> None:
        hint = did_you_mean(name, tuple(known)) or f"declare it under `{kind}s:`"
        self._problems.error("E260", f"`{key}` of {_WHAT} names an {kind}, and {quoted(name)} is none", node, hint)
