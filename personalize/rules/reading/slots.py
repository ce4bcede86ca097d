"""Reads `slots:` and `segments:`: who sees what, where, and when."""

from personalize.problems import Problems, quoted
from personalize.rules.conditions import EVERYONE, Condition
from personalize.rules.conventions import Conventions
from personalize.rules.definitions import KEEP, MOST_ITEMS, Named, Rule, Segment, Show, Slot
from personalize.rules.reading.parse import ConditionParser
from personalize.rules.reading.personas import PersonaReader
from personalize.rules.reading.placements import PlacementReader
from personalize.rules.reading.reading import Reading
from personalize.rules.reading.timing import read_window
from personalize.yaml_tree import Mapping, Node, Scalar, Sequence

SEGMENT_KEYS = ("title", "who", "examples")
SLOT_KEYS = ("title", "page", "place", "holds", "accepts", "rules", "otherwise")
RULE_KEYS = ("id", "title", "to", "when", "show", "examples")
SHOW_KEYS = ("in", "tagged", "limit")


class SlotReader:
    """Reads segments and slots; a broken one is said and left out."""

    def __init__(
        self, conventions: Conventions, reading: Reading, conditions: ConditionParser, personas: PersonaReader
    ) -> None:
        self._conventions = conventions
        self._reading = reading
        self._problems: Problems = reading.problems
        self._conditions = conditions
        self._personas = personas
        self._placements = PlacementReader(reading)

    def segment(self, segment_id: str, key: Scalar, node: Node) -> Segment | None:
        """A segment from its entry."""
        what = f"the segment {quoted(segment_id)}"
        mapping = self._reading.mapping(node, what)
        if mapping is None:
            return None
        self._reading.only(mapping, SEGMENT_KEYS, what, asks_below="who")
        who = self._reading.required(mapping, "who", what)
        if who is None:
            return None
        return Segment(
            segment_id=segment_id,
            title=self._reading.text(mapping, "title", what, segment_id),
            who=self._conditions.condition_of(segment_id, who, "`who`"),
            place=key.place,
            examples=self._personas.examples(mapping.get("examples"), what),
        )

    def slot(self, slot_id: str, key: Scalar, node: Node) -> Slot | None:
        """A slot from its entry, with its rules in order."""
        what = f"the slot {quoted(slot_id)}"
        mapping = self._reading.mapping(node, what)
        if mapping is None:
            return None
        self._reading.only(mapping, SLOT_KEYS, what)
        return Slot(
            slot_id=slot_id,
            title=self._reading.text(mapping, "title", what, slot_id),
            page=self._reading.text(mapping, "page", what) or None,
            holds=self._reading.whole(mapping, "holds", what, default=1, most=MOST_ITEMS),
            accepts=self._named(mapping.get("accepts"), f"`accepts` of {what}"),
            rules=self._rules(mapping.get("rules"), what),
            otherwise=self._otherwise(mapping, what),
            place=key.place,
            placement=self._placements.placement(mapping.get("place"), what),
        )

    def _rules(self, node: Node | None, what: str) -> tuple[Rule, ...]:
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return ()
        if not isinstance(node, Sequence):
            self._reading.wrong_kind(node, f"`rules` of {what}", "a list", "begin each rule on a new line with a dash")
            return ()
        found: dict[str, Rule] = {}
        for item in node.items:
            rule = self._rule(item, what)
            if rule is not None and rule.rule_id in found:
                first = found[rule.rule_id].place
                self._problems.error(
                    "E206",
                    f"{what} has the rule {quoted(rule.rule_id)} twice",
                    item,
                    f"the first stands in line {first.line}",
                )
            elif rule is not None:
                found[rule.rule_id] = rule
        return tuple(found.values())

    def _rule(self, node: Node, slot: str) -> Rule | None:
        mapping = self._reading.mapping(node, f"a rule of {slot}")
        if mapping is None:
            return None
        named = self._rule_id(mapping, slot)
        what = f"a rule of {slot}" if named is None else f"the rule {quoted(named)}"
        # Without a name it is read all the same, so that whatever else is wrong with it is said, too.
        rule_id = named or f"line {mapping.place.line}"
        self._reading.only(mapping, RULE_KEYS, what, asks_below="to")
        show = self._show(self._reading.required(mapping, "show", what), what)
        to = self._to(mapping.get("to"), rule_id)
        when = read_window(mapping.get("when"), self._conventions, self._reading, self._conditions.local_now)
        title = self._reading.text(mapping, "title", what, rule_id)
        examples = self._personas.examples(mapping.get("examples"), what)
        if show is None:
            return None
        return Rule(rule_id, title, to, when, show, mapping.place, examples)

    def _rule_id(self, mapping: Mapping, slot: str) -> str | None:
        node = self._reading.required(mapping, "id", f"a rule of {slot}")
        if node is None:
            return None
        if isinstance(node, Scalar) and node.value is not None:
            return self._reading.identifier(node, "a rule")
        self._reading.wrong_kind(node, f'"id" of a rule of {slot}', "a text")
        return None

    def _to(self, node: Node | None, rule_id: str) -> Condition:
        return EVERYONE if node is None else self._conditions.condition_of(rule_id, node, "`to`")

    def _show(self, node: Node | None, what: str) -> Show | None:
        if node is None:
            return None
        if not isinstance(node, Mapping):
            return self._show_items(node, what)
        self._reading.only(node, SHOW_KEYS, f"`show` of {what}")
        collection = self._reading.required(node, "in", f"`show` of {what}")
        tags = self._tags(node.get("tagged"), what)
        limit = self._reading.whole(node, "limit", f"`show` of {what}", default=MOST_ITEMS, most=MOST_ITEMS)
        if collection is None:
            return None
        if not isinstance(collection, Scalar) or collection.value is None:
            self._reading.wrong_kind(collection, f'"in" of `show` of {what}', "the name of one collection")
            return None
        return Show(collection=Named(collection.text, collection.place), tagged=tags, limit=limit)

    def _show_items(self, node: Node, what: str) -> Show | None:
        named = self._named(node, f"`show` of {what}")
        if isinstance(node, Sequence) and not node.items:
            self._problems.error("E207", f"{what} shows nothing", node, "name an item, as in offers/free-shipping")
        if len(named) > MOST_ITEMS:
            hint = f"at most {MOST_ITEMS}; or give them a tag and write {{in: offers, tagged: [that-tag]}}"
            self._problems.error("E208", f"{what} shows {len(named)} items", node, hint)
        return Show(items=named) if named else None

    def _tags(self, node: Node | None, what: str) -> tuple[str, ...]:
        tags = self._reading.scalars(node, f"`tagged` of {what}")
        if isinstance(node, Sequence) and not node.items:
            self._problems.error("E207", f"`tagged` of {what} names no tag", node, "leave it out to mean every item")
        return tuple(tag.text for tag in tags)

    def _named(self, node: Node | None, what: str) -> tuple[Named, ...]:
        return tuple(Named(scalar.text, scalar.place) for scalar in self._reading.scalars(node, what))

    def _otherwise(self, mapping: Mapping, what: str) -> Named | None:
        node = mapping.get("otherwise")
        text = self._reading.text(mapping, "otherwise", what, KEEP)
        return None if node is None or text == KEEP else Named(text, node.place)
