"""All content of a site, loaded at once: every item by its id, and by collection and tag."""

from collections.abc import Collection as Several
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from types import MappingProxyType

import jinja2

from personalize.content.body import BodyWriter
from personalize.content.collection import Collection, ContentRules, parse_collections
from personalize.content.files import COLLECTIONS_FILE, ItemName, is_explanation, item_name
from personalize.content.item import ContentItem
from personalize.content.item_file import Workshop, read_item
from personalize.content.sanitise import Sanitiser
from personalize.content.template import Templates
from personalize.content.values import Currency
from personalize.problems import Problems, did_you_mean, quoted


@dataclass(frozen=True, slots=True)
class Library:
    """What can be shown. `items` by id (`collection/name`), `collections` by name.

    `refused` names the items and collections that somebody wrote, but not so that they can be used: there is a
    problem about each already.
    """

    items: Mapping[str, ContentItem] = field(default_factory=lambda: MappingProxyType({}))
    collections: Mapping[str, Collection] = field(default_factory=lambda: MappingProxyType({}))
    refused: frozenset[str] = frozenset()
    _by_collection: Mapping[str, tuple[ContentItem, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sorted_items: dict[str, list[ContentItem]] = {}
        for item in sorted(self.items.values(), key=lambda item: (-item.priority, item.item_id)):
            sorted_items.setdefault(item.collection, []).append(item)
        by_collection = {name: tuple(items) for name, items in sorted_items.items()}
        object.__setattr__(self, "_by_collection", MappingProxyType(by_collection))

    def item(self, item_id: str) -> ContentItem | None:
        """The item of an id, or None."""
        return self.items.get(item_id)

    def tagged(self, collection: str, tags: Several[str] = ()) -> tuple[str, ...]:
        """The ids of a collection's items that carry at least one of the tags; without tags, of all its items.

        Highest priority first, then by id.
        """
        items = self._by_collection.get(collection, ())
        return tuple(item.item_id for item in items if not tags or not item.tags.isdisjoint(tags))


EMPTY = Library()


def load_library(
    files: Mapping[str, str],
    *,
    templates: jinja2.BaseLoader,
    zone: tzinfo,
    currency: str,
    currency_digits: int,
    attributes: Several[str],
    problems: Problems,
) -> Library:
    """All items of a content folder, given its files as `read_content` names them: path -> text.

    `attributes` are the visitors' attributes that placeholders may name. All problems of all files are found in
    one run; a file with an error gives no item, the others still do.
    """
    texts = {path: text for path, text in sorted(files.items()) if not is_explanation(path)}
    rules_file = next((path for path in texts if _is_collections_file(path)), None)
    if rules_file is None:
        return _without_collections(texts, problems)
    before = len(problems)
    rules = parse_collections(texts.pop(rules_file), rules_file, problems)
    if not rules.collections and len(problems) > before:
        return Library(refused=rules.refused | _written(texts))
    workshop = Workshop(
        templates=Templates(templates, rules.collections, rules_file, problems),
        bodies=BodyWriter(Sanitiser(rules.classes)),
        zone=zone,
        currency=Currency(currency, currency_digits),
        attributes=attributes,
    )
    items, refused = _items(texts, rules, workshop, problems)
    return Library(MappingProxyType(items), rules.collections, rules.refused | refused)


def _is_collections_file(path: str) -> bool:
    return path.count("/") == 1 and path.endswith(f"/{COLLECTIONS_FILE}")


def _without_collections(texts: Mapping[str, str], problems: Problems) -> Library:
    if not texts:
        return EMPTY
    file = f"{next(iter(texts)).partition('/')[0]}/{COLLECTIONS_FILE}"
    hint = "it says which collections there are, what fields their items have and how they look"
    problems.error("E410", f"{quoted(file)} is missing", None, hint, file=file)
    return Library(refused=_written(texts))


def _written(texts: Several[str]) -> frozenset[str]:
    """The ids of the items that these files would be."""
    names = (item_name(path, Problems()) for path in texts)
    return frozenset(name.item_id for name in names if name is not None)


def _items(
    texts: Mapping[str, str], rules: ContentRules, workshop: Workshop, problems: Problems
) -> tuple[dict[str, ContentItem], frozenset[str]]:
    """The items by id, and the ids of those that have errors."""
    items: dict[str, ContentItem] = {}
    taken: dict[str, str] = {}
    told = set(rules.refused)
    for path, text in texts.items():
        name = item_name(path, problems)
        if name is None:
            continue
        collection = rules.collections.get(name.collection)
        if collection is None:
            _unknown_collection(path, name, rules, told, problems)
        elif (first := taken.setdefault(name.item_id, path)) != path:
            hint = "delete one of the two, or give it another name"
            problems.error("E406", f"{quoted(first)} is the same item", None, hint, file=path)
        elif (item := read_item(text, path, name, collection, workshop, problems)) is not None:
            items[item.item_id] = item
    return items, frozenset(taken.keys() - items.keys())


def _unknown_collection(path: str, name: ItemName, rules: ContentRules, told: set[str], problems: Problems) -> None:
    """Say it once a folder: a name misspelt in one place would else be a problem of every file in it."""
    if name.collection not in told:
        told.add(name.collection)
        allowed = ", ".join(sorted(rules.collections)) or "none"
        hint = did_you_mean(name.collection, rules.collections) or (
            f"those declared: {allowed}; ask the developers for another, or declare it in content/collections.yaml"
        )
        problems.error("E405", f"there is no collection {quoted(name.collection)}", None, hint, file=path)
