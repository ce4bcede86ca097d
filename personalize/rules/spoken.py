"""Conditions in the words that people say: "their last purchase is more than 90 days ago"."""

from collections.abc import Mapping
from types import MappingProxyType

from personalize.rules.conditions import Condition, InSegment, Leaf
from personalize.rules.conventions import Conventions
from personalize.rules.days import DAY_NAMES, MONTH_NAMES
from personalize.rules.describe import NEVER, PLACE_IN, Describer, is_other_group, is_whole_list
from personalize.rules.facts import INTEREST_ROOT, OWN_ROOT, SPLIT_ROOT, WEEKDAYS, Fact, FactType, is_of_event
from personalize.rules.times import Times

#: What begins most questions about the visitor.
_THEIR = "their "
#: Facts that are a statement themselves, with what is said where they are not so.
_STATEMENTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "visitor.known": ("we know them", "we do not know them"),
        "visitor.new": ("this is their first visit", "this is not their first visit"),
        "organization.known": ("they belong to an organization", "they belong to no organization"),
        "page.bot": ("a robot asks", "no robot asks"),
    }
)
_OF_WHOM: Mapping[str, str] = MappingProxyType(
    {
        "we know them": "whom we know",
        "we do not know them": "whom we do not know",
        "they belong to an organization": "who belongs to an organization",
        "they belong to no organization": "who belongs to no organization",
        "this is their first visit": "who is here for the first time",
        "this is not their first visit": "who is not here for the first time",
    }
)
_DOING = {"they did ": "who did ", "they never did ": "who never did ", "they are ": "who is "}
#: Facts of these roots that are lists are called so where they are asked as a whole.
_LISTS = {"event": "the ", "profile": _THEIR, "organization": _THEIR}
_SUBJECTS: Mapping[str, str] = MappingProxyType(
    {
        "visitor.visits": "their number of visits",
        "visitor.first_seen": "their first visit",
        "visitor.last_seen": "their latest visit",
        "visitor.state": "their state",
        "page.language": "the language of their browser",
        "page.device": "the device",
        "page.channel": "the channel",
        "page.country": "the country they are in",
        "page.region": "the region they are in",
        "page.city": "the city they are in",
        "interest.top": "their strongest interest",
        "visit.pages": "the number of pages in this visit",
        "now.date": "the date",
    }
)
_OF_EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "count": "their {} count",
        "first": "their first {}",
        "last": "their last {}",
        "total": "their {} total",
        "average": "their average {}",
        "first_value": "the value of their first {}",
        "last_value": "the value of their last {}",
    }
)
_FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "query": 'the parameter "{}" of the address',
        "header": 'the header "{}"',
        "cookie": 'the cookie "{}"',
    }
)


class Spoken(Describer):
    """Says conditions with the words for facts instead of their names."""

    def condition(self, condition: Condition, *, wanted: bool = True) -> str:
        """The condition as a clause, or its opposite where that is `wanted`."""
        if isinstance(condition, InSegment):
            return f'they are {"in" if wanted else "not in"} "{self.title(condition)}"'
        return super().condition(condition, wanted=wanted)

    def question(self, leaf: Leaf, *, wanted: bool) -> tuple[str, str]:
        """Who or what a question is about, and what is asked of it, or the opposite of that."""
        fact = leaf.fact
        if fact.name in _STATEMENTS and leaf.word == "is":
            return "", _STATEMENTS[fact.name][leaf.argument is not wanted]
        if fact.root == OWN_ROOT and fact.argument is not None and leaf.word == "is" and "{}" in fact.title:
            said = fact.title.format(self.value(fact, fact.argument))
            return "", said if leaf.argument is wanted else f"it is not so that {said}"
        subject, asked = super().question(leaf, wanted=wanted)
        if fact.root == SPLIT_ROOT:
            return "", f"they are {asked.removeprefix('is ')} of {subject.removeprefix(PLACE_IN)}"
        if fact.many and is_whole_list(leaf) and fact.root in _LISTS:
            return f"{_LISTS[fact.root]}list of {subject.removeprefix(_THEIR).removeprefix('the ')}", asked
        return subject, asked

    def happened(self, what: str, often: str, within: str) -> tuple[str, str]:
        """How often somebody did something, which may be never."""
        return "", f"they never did {what}{within}" if often == NEVER else f"they did {what} {often}{within}"

    def subject(self, fact: Fact) -> str:
        """What a question is about, in words."""
        if fact.name in _SUBJECTS:
            return _SUBJECTS[fact.name]
        if is_of_event(fact):
            return _OF_EVENTS[fact.key].format(_words(fact.root))
        family, dot, name = fact.key.partition(".")
        if fact.root == "page" and dot and family in _FAMILIES:
            return _FAMILIES[family].format(name)
        if fact.root == "element":
            return fact.name
        if fact.root == "event":
            return f"the {' of its '.join(reversed(_words(fact.name).split('.')))}"
        if fact.root == INTEREST_ROOT and fact.type is FactType.NUMBER:
            return f"{_THEIR}{fact.title}"
        if fact.root in ("profile", "organization"):
            return f"{_THEIR}{_lower_first(fact.title if fact.title != fact.key else _words(fact.key))}"
        return f"the {_lower_first(fact.title or _words(fact.name))}"

    def value(self, fact: Fact, value: object) -> str:
        """A fact's value; days of the week and months by their names."""
        if fact.name == "now.weekday" and value in WEEKDAYS:
            return DAY_NAMES[WEEKDAYS.index(str(value))]
        if fact.name == "now.month" and isinstance(value, int) and 1 <= value <= len(MONTH_NAMES):
            return MONTH_NAMES[value - 1]
        return super().value(fact, value)


class OfWhom(Spoken):
    """Says conditions as they follow "everyone": "whose last purchase is more than 90 days ago"."""

    def __init__(self, conventions: Conventions, titles: Mapping[str, str] | None = None) -> None:
        super().__init__(conventions, titles)
        self._spoken = Spoken(conventions, titles)

    def part(self, part: Condition, *, wanted: bool, within_all: bool) -> str:
        """The words of a part of a group; a group of the other kind is said in sentences of its own."""
        if is_other_group(part, wanted=wanted, within_all=within_all):
            return f"for whom {self._spoken.part(part, wanted=wanted, within_all=within_all)}"
        return super().part(part, wanted=wanted, within_all=within_all)

    def condition(self, condition: Condition, *, wanted: bool = True) -> str:
        """The condition as a clause about people, or its opposite where that is `wanted`."""
        if isinstance(condition, InSegment):
            return f'who {"is" if wanted else "is not"} in "{self.title(condition)}"'
        return super().condition(condition, wanted=wanted)

    def clause(self, text: str) -> str:
        """The words of one question, as they follow "everyone"."""
        if text.startswith(_THEIR):
            return f"whose {text.removeprefix(_THEIR)}"
        begin = next((begin for begin in _DOING if text.startswith(begin)), None)
        if begin is not None:
            return _DOING[begin] + text.removeprefix(begin)
        return _OF_WHOM.get(text, f"for whom {text}")


def is_about_visitor(leaf: Leaf) -> bool:
    """Whether a question asks about the visitor, and not about the page, this visit or the clock."""
    return isinstance(leaf.argument, Times) or leaf.fact.root not in ("page", "visit", "now")


def _words(name: str) -> str:
    return name.replace("_", " ")


def _lower_first(title: str) -> str:
    """A title inside of a sentence: abbreviations keep their letters."""
    return title[:1].lower() + title[1:] if title[1:2].islower() or len(title) == 1 else title
