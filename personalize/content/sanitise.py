"""The markup of a body, with everything taken out that an editor may not write, and a word on what that was."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import nh3

from personalize.content.markup import Tag, TagAttribute, tokens
from personalize.content.urls import LINK_SCHEMES, scheme_of
from personalize.problems import did_you_mean, quoted

TAGS = frozenset(
    {
        *("article", "aside", "div", "footer", "header", "section", "h1", "h2"),
        *("h3", "h4", "h5", "h6", "p", "hr", "br", "wbr"),
        *("a", "b", "i", "u", "s", "em", "strong", "small", "mark", "del", "ins"),
        *("sub", "sup", "q", "cite", "code", "kbd", "samp", "var", "pre", "blockquote"),
        *("abbr", "bdi", "bdo", "dfn", "ruby", "rp", "rt"),
        *("span", "time", "img", "figure", "figcaption", "details", "summary"),
        *("ul", "ol", "li", "dl", "dt", "dd", "table", "caption"),
        *("colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"),
    }
)
_EVERYWHERE = frozenset({"lang", "dir", "title"})
_OF_TAG = {
    "a": frozenset({"href", "hreflang"}),
    "col": frozenset({"span"}),
    "colgroup": frozenset({"span"}),
    "details": frozenset({"open"}),
    "img": frozenset({"src", "alt", "width", "height", "loading"}),
    "ol": frozenset({"start", "reversed"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
    "time": frozenset({"datetime"}),
}
_ADDRESSES = frozenset({"href", "src"})
_REMOVED_WITH_CONTENT = frozenset(
    {"script", "style", "template", "iframe", "noembed", "noframes", "noscript", "svg", "math", "object", "title"}
)
_MOST_ROUNDS = 5
_BLANKS = re.compile(r"[\t\n\f\r ]+")


@dataclass(frozen=True, slots=True)
class Removed:
    """Something that was taken out, in words, at an index of what was written (None: not known where)."""

    code: str
    message: str
    index: int | None = None
    hint: str | None = None


class Sanitiser:
    """Cleans bodies for one site. `classes` are the names that an editor may write in `class="…"`."""

    def __init__(self, classes: Collection[str] = ()) -> None:
        self._classes = frozenset(classes)
        self._cleaner = nh3.Cleaner(
            tags=TAGS,
            clean_content_tags=_REMOVED_WITH_CONTENT,
            attributes={"*": _EVERYWHERE, **_OF_TAG},
            tag_attribute_values={"a": {"target": {"_blank"}}},
            allowed_classes=dict.fromkeys(TAGS, self._classes),
            url_schemes=LINK_SCHEMES,
            # Without noreferrer: the site's own pages want to know which page a click came from.
            link_rel="noopener",
            strip_comments=True,
        )

    def clean(self, markup: str) -> str:
        """The markup with only what an editor may write, its tags balanced; clean markup stays as it is.

        Cleaned again until nothing changes: a browser that reads the result makes the same tree of it.
        """
        cleaned = self._cleaner.clean(markup)
        for _ in range(_MOST_ROUNDS):
            again = self._cleaner.clean(cleaned)
            if again == cleaned:
                break
            cleaned = again
        return cleaned

    def removed(self, markup: str, cleaned: str) -> Iterator[Removed]:
        """What `clean` took out of the markup, in order; text, comments and bare `rel` are not worth a word."""
        kept: Counter[str] = Counter()
        for tag in _start_tags(markup):
            if tag.name not in TAGS:
                yield _removed_tag(tag)
                continue
            kept[f"<{tag.name}>"] += 1
            for attribute in tag.attributes:
                removed = list(self._removed_attribute(tag, attribute))
                yield from removed
                if not removed and attribute.name not in ("rel", "class"):
                    kept[f"{attribute.name} of <{tag.name}>"] += 1
        yield from _unexplained(kept, cleaned)

    def _removed_attribute(self, tag: Tag, attribute: TagAttribute) -> Iterator[Removed]:
        name, index = attribute.name, attribute.start
        if name == "class":
            yield from self._removed_classes(attribute)
        elif name in _ADDRESSES and name in _OF_TAG.get(tag.name, ()):
            yield from _removed_address(attribute)
        elif name == "target" and tag.name == "a":
            if attribute.value != "_blank":
                message = f'target={quoted(attribute.value)} was removed; allowed is target="_blank"'
                yield Removed("W441", message, index)
        elif name != "rel" and name not in _EVERYWHERE | _OF_TAG.get(tag.name, frozenset()):
            yield Removed("W441", f"{name} was removed from <{tag.name}>", index, _hint_for(name))

    def _removed_classes(self, attribute: TagAttribute) -> Iterator[Removed]:
        for name in filter(None, _BLANKS.split(attribute.value)):
            if name not in self._classes:
                allowed = ", ".join(sorted(self._classes)) or "none; collections.yaml lists them under `classes`"
                hint = did_you_mean(name, self._classes) or f"allowed: {allowed}"
                yield Removed("W442", f"the class {quoted(name)} was removed", attribute.start, hint)


def _start_tags(markup: str) -> Iterator[Tag]:
    return (token for token in tokens(markup) if isinstance(token, Tag) and not token.closing)


def _removed_tag(tag: Tag) -> Removed:
    if tag.name in _REMOVED_WITH_CONTENT:
        hint = "a developer can put it into the template of the collection"
        return Removed("W440", f"<{tag.name}> was removed with all that is in it", tag.start, hint)
    return Removed("W440", f"<{tag.name}> was removed; the text in it stays", tag.start)


def _removed_address(attribute: TagAttribute) -> Iterator[Removed]:
    scheme = scheme_of(attribute.value)
    if scheme is not None and scheme not in LINK_SCHEMES:
        message = f"the address {quoted(attribute.value)} was removed"
        yield Removed("W443", message, attribute.start, "addresses begin with https://, http://, mailto: or /")


def _hint_for(name: str) -> str | None:
    if name.startswith("on"):
        return "content cannot run scripts"
    return "use a class instead" if name == "style" else None


def _unexplained(kept: Counter[str], cleaned: str) -> Iterator[Removed]:
    """What is missing although it is allowed, such as a cell outside a table, or an address that is none."""
    for tag in _start_tags(cleaned):
        kept[f"<{tag.name}>"] -= 1
        for attribute in tag.attributes:
            kept[f"{attribute.name} of <{tag.name}>"] -= 1
    for what in sorted(what for what, times in kept.items() if times > 0):
        hint = "is a tag not closed, or does it stand where HTML doesn't allow it?"
        yield Removed("W444", f"{what} was lost when the markup was cleaned", None, hint)
