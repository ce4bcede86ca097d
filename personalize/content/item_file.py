"""One file of an editor becomes one content item with its markup, or problems that say what to change."""

from collections.abc import Collection as Several
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from datetime import date, tzinfo

from markupsafe import Markup

from personalize.content.body import BodyWriter
from personalize.content.collection import Collection, Field, FieldType
from personalize.content.files import ItemName, ItemText, split_item
from personalize.content.front_matter import FrontMatter, read_front_matter
from personalize.content.item import ContentItem
from personalize.content.marks import Marks, refuse
from personalize.content.pieces import Names, Pieces, plain_text, read_pieces
from personalize.content.render import Rendering
from personalize.content.template import ImageValue, PersonalMarkup, Templates
from personalize.content.values import Currency, text_of
from personalize.events.event import JSONValue
from personalize.problems import Problems, quoted
from personalize.yaml_tree import Mapping, Place


@dataclass(frozen=True, slots=True)
class Workshop:
    """What it takes to make items of files: the same for all files of a site."""

    templates: Templates
    bodies: BodyWriter
    zone: tzinfo
    currency: Currency
    attributes: Several[str]


def read_item(
    text: str, file: str, name: ItemName, collection: Collection, workshop: Workshop, problems: Problems
) -> ContentItem | None:
    """The item of a file, or None where something is wrong with it; all that is goes to `problems`."""
    found = Problems()
    halves = split_item(text, file, found)
    item = None if halves is None else _item(text, halves, name, collection, workshop, found)
    problems.extend(found.list)
    return None if found.has_errors else item


def _item(
    text: str, halves: ItemText, name: ItemName, collection: Collection, workshop: Workshop, problems: Problems
) -> ContentItem | None:
    front = read_front_matter(halves.front, collection, workshop.zone, workshop.currency, problems)
    draft = _Draft(front, halves, name, collection, workshop, Marks(text), problems)
    rendering = draft.rendering()
    if rendering is None:
        return None
    return ContentItem(
        item_id=name.item_id,
        collection=collection.name,
        kind=collection.kind,
        title=front.title,
        rendering=rendering,
        tags=front.tags,
        fields=front.values,
        priority=front.priority,
        from_at=front.from_at,
        until_at=front.until_at,
        file=halves.file,
    )


@dataclass(slots=True)
class _Draft:
    """An item whose values are read and whose markup is to be made; `personal` is all that templates get of it."""

    front: FrontMatter
    halves: ItemText
    name: ItemName
    collection: Collection
    workshop: Workshop
    marks: Marks
    problems: Problems
    personal: list[PersonalMarkup] = field(default_factory=list)

    def rendering(self) -> Rendering | None:
        """The item's markup; None (and a problem) where its template cannot make it."""
        plain = self._plain_fields()
        in_fields = Names(
            self.workshop.attributes,
            plain,
            self._elsewhere(plain, "a title or text can only be named in the text below ---"),
        )
        texts = {name: self._pieces(name, value, in_fields) for name, value in self._texts().items()}
        named = {**plain, **texts}
        in_body = Names(self.workshop.attributes, named, self._elsewhere(named, "the template shows it"))
        body = self.workshop.bodies.markup(
            self.halves, is_markdown=self.name.is_markdown, names=in_body, marks=self.marks, problems=self.problems
        )
        values = {
            **{each.name: self._shown(each, texts, in_fields) for each in self.collection.fields.values()},
            "title": self._writable(texts["title"]),
            "body": self._personal(body) if self.marks.pieces_in(body) else Markup(body),
            "tags": tuple(sorted(self.front.tags)),
            "item_id": self.name.item_id,
        }
        if self.problems.has_errors:
            # What the template would say of a value that is not there is no help.
            return None
        markup = self.workshop.templates.render(self.collection, values, self.halves.file)
        return None if markup is None else self._split(markup)

    def _plain_fields(self) -> dict[str, Pieces]:
        """The text of every field in which no placeholder can stand; of those left empty, nothing."""
        texts: dict[str, Pieces] = {}
        for each in self.collection.fields.values():
            value = self.front.values.get(each.name)
            if each.type not in (FieldType.TEXT, FieldType.IMAGE, FieldType.BOOL):
                text = None if value is None else text_of(each, value, self.workshop.currency)
                texts[each.name] = () if text is None else (text,)
        return texts

    def _texts(self) -> dict[str, str]:
        fields = [each.name for each in self.collection.fields.values() if each.type is FieldType.TEXT]
        return {"title": self.front.title, **{name: str(self.front.values.get(name, "")) for name in fields}}

    def _elsewhere(self, here: ReadOnly[str, Pieces], reason: str) -> dict[str, str]:
        return {name: reason for name in ("title", *self.collection.fields) if name not in here}

    def _pieces(self, key: str, text: str, names: Names) -> Pieces:
        place = _place_of(self.halves.front, key)
        return read_pieces(text, lambda index, length: place, names, self.problems)

    def _writable(self, pieces: Pieces) -> str | PersonalMarkup:
        """Pieces as a template gets them: text that it escapes, or markup with marks in it."""
        plain = plain_text(pieces)
        return self._personal(self.marks.put_escaped(pieces)) if plain is None else plain

    def _personal(self, markup: str) -> PersonalMarkup:
        self.personal.append(PersonalMarkup(markup))
        return self.personal[-1]

    def _shown(self, each: Field, texts: ReadOnly[str, Pieces], names: Names) -> object:
        """A field as a template sees it; None where it was left empty."""
        value = self.front.values.get(each.name)
        if value is None:
            return None
        match each.type:
            case FieldType.TEXT:
                return self._writable(texts[each.name])
            case FieldType.IMAGE:
                return self._image(each.name, value, names)
            case FieldType.DATE:
                return date.fromisoformat(str(value))
            case FieldType.MONEY:
                return text_of(each, value, self.workshop.currency)
            case _:
                return value

    def _image(self, name: str, value: JSONValue, names: Names) -> ImageValue:
        image = value if isinstance(value, dict) else {}
        alt = self._pieces(name, str(image.get("alt", "")), names)
        return ImageValue(str(image.get("src", "")), self._writable(alt))

    def _split(self, markup: str) -> Rendering:
        template = quoted(self.collection.template)
        refuse(self.marks.standings(markup), f"of the template {template}", self.problems)
        written = sum(each.times_written * len(self.marks.pieces_in(each.markup)) for each in self.personal)
        if len(self.marks.pieces_in(markup)) < written:
            message = f"the template {template} cuts or changes a text that holds a placeholder"
            hint = "take the placeholder out, or ask a developer to show the text without a filter"
            self.problems.error("E435", message, _place_of(self.halves.front, "title"), hint)
        return Rendering(self.marks.split(markup))


def _place_of(front: Mapping, key: str) -> Place:
    node = front.get(key)
    return (front if node is None else node).place
