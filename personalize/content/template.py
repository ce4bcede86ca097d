"""The developers' templates, one a collection, and what they get to see of an item.

A template is code of the site and trusted; what it is given is data, and is escaped where it is written.
"""

import re
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Never

import jinja2
from jinja2 import nodes

from personalize.content.collection import Collection
from personalize.problems import Problem, Problems, did_you_mean, quoted

#: What a template can read of every item, beside the fields of its collection.
ITEM_NAMES = ("title", "body", "tags", "item_id")

#: What an expression of a template can raise: Python's own errors come through as they are.
_FAULTS = (
    *(jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError),
    *(RuntimeError, AssertionError),
)
_WORDS_FOR_TYPES = (
    (re.compile(r"'?(?:[\w.]+\.)?PersonalMarkup(?: object)?'?"), "a text with a placeholder"),
    (re.compile(r"'types\.SimpleNamespace object'"), "an item"),
    (re.compile(r"'None'(?= has)"), "an empty field"),
)


class PersonalMarkup:
    """Markup with marks in it: a template can write it where text may stand, and cannot work on it as text.

    `times_written` tells how often it was, so that a mark that is missing afterwards is noticed.
    """

    __slots__ = ("markup", "times_written")

    def __init__(self, markup: str) -> None:
        self.markup = markup
        self.times_written = 0

    def __html__(self) -> str:
        self.times_written += 1
        return self.markup

    def __str__(self) -> Never:
        raise TypeError("a filter or ~ was put on a text with a placeholder, which only a visitor fills")


@dataclass(frozen=True, slots=True)
class ImageValue:
    """An image as a template sees it: `item.image.src`, `item.image.alt`, and `item.image` for the address."""

    src: str
    alt: str | PersonalMarkup = ""

    def __str__(self) -> str:
        return self.src


class Templates:
    """The templates of all collections, compiled once; whatever is wrong with one goes to `problems`."""

    def __init__(
        self, loader: jinja2.BaseLoader, collections: Mapping[str, Collection], file: str, problems: Problems
    ) -> None:
        self._environment = jinja2.Environment(
            loader=loader,
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=_nothing_for_none,
            auto_reload=False,
        )
        self._problems = problems
        self._reported: set[tuple[str | None, int | None, str]] = set()
        self._templates: dict[str, jinja2.Template] = {}
        for collection in collections.values():
            template = self._load(collection, file)
            if template is not None:
                self._templates[collection.name] = template

    def _load(self, collection: Collection, file: str) -> jinja2.Template | None:
        name = collection.template
        try:
            source, filename, _ = self._loader.get_source(self._environment, name)
            tree = self._environment.parse(source, name, filename)
            template = self._environment.get_template(name)
        except jinja2.TemplateSyntaxError as error:
            self._report(Problem("E416", f"{error.message}", _file_of(error, name), error.lineno))
            return None
        except jinja2.TemplateNotFound:
            hint = did_you_mean(name, self._known_names())
            message = f"there is no template {quoted(name)}"
            self._report(Problem("E415", message, file, collection.line, hint=hint))
            return None
        except UnicodeDecodeError:
            self._report(Problem("E415", f"the template {quoted(name)} is not saved as UTF-8", file, collection.line))
            return None
        unknown = list(_unknown_names(tree, collection, filename or name))
        for problem in unknown:
            self._report(problem)
        return None if unknown else template

    @property
    def _loader(self) -> jinja2.BaseLoader:
        loader = self._environment.loader
        assert loader is not None
        return loader

    def _known_names(self) -> list[str]:
        try:
            return self._loader.list_templates()
        except TypeError:
            # Jinja's way of saying that this loader cannot tell.
            return []

    def _report(self, problem: Problem) -> None:
        """Say it once: a template with a fault fails for every item of its collection."""
        key = (problem.file, problem.line, problem.message)
        if key not in self._reported:
            self._reported.add(key)
            self._problems.add(problem)

    def render(self, collection: Collection, values: Mapping[str, object], file: str) -> str | None:
        """The markup of one item; None (and a problem, or one told before) when its template cannot make it."""
        template = self._templates.get(collection.name)
        if template is None:
            return None
        try:
            return template.render(item=SimpleNamespace(**values))
        except _FAULTS as error:
            where, line = _place_of(error, collection.template)
            hint = f"the item is {file}"
            message = f"the template cannot show an item: {_sentence(error)}"
            self._report(Problem("E417", message, where, line, hint=hint))
            return None


def _nothing_for_none(value: object) -> object:
    """What an expression writes: a field that an item leaves empty writes nothing."""
    return "" if value is None else value


def _unknown_names(tree: nodes.Template, collection: Collection, file: str) -> Iterator[Problem]:
    """Each `item.…` of a template that no item of the collection has, also where no item comes by today."""
    if any(name.name == "item" and name.ctx != "load" for name in tree.find_all(nodes.Name)):
        return
    allowed = (*ITEM_NAMES, *collection.fields)
    for each in tree.find_all(nodes.Getattr):
        if isinstance(each.node, nodes.Name) and each.node.name == "item" and each.attr not in allowed:
            hint = did_you_mean(each.attr, allowed) or f"allowed: {', '.join(allowed)}"
            message = f"items of {quoted(collection.name)} have no {quoted(each.attr)}"
            yield Problem("E418", message, file, each.lineno, hint=hint)


def _file_of(error: jinja2.TemplateSyntaxError, name: str) -> str:
    return error.filename or error.name or name


def _place_of(error: BaseException, name: str) -> tuple[str, int | None]:
    """The template and line in which an error was raised, which Jinja writes into the traceback."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return _file_of(error, name), error.lineno
    file, line = name, None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if "__jinja_exception__" in frame.f_globals:
            found = frame.f_code.co_filename
            file, line = name if found.startswith("<") else found, number
    return file, line


def _sentence(error: BaseException) -> str:
    if isinstance(error, jinja2.TemplateNotFound):
        return f"there is no template {quoted(str(error))}"
    text = str(error) or type(error).__name__
    for pattern, words in _WORDS_FOR_TYPES:
        text = pattern.sub(words, text)
    return text
