"""collections.yaml says what a site's content is."""

from personalize.content.collection import Collection, Field, FieldType, parse_collections
from personalize.problems import Problems

TEXT = """
classes: [lead, -x_1]
collections:
  offers:
    title: The row of three
    kind: offer
    template: offer.html
    fields:
      badge: {type: text, title: A word on the corner, required: true}
      size: {type: choice, choices: [small, 2]}
      image: {type: image, alt: required}
      thumb: {type: image, alt: optional}
  notes: {template: notes/line.html}
"""


def test_collections_and_their_fields_are_read() -> None:
    problems = Problems()
    rules = parse_collections(TEXT, "content/collections.yaml", problems)
    assert not problems.list
    assert rules.classes == {"lead", "-x_1"}
    assert rules.collections["offers"] == Collection(
        name="offers",
        kind="offer",
        template="offer.html",
        title="The row of three",
        line=4,
        fields={
            "badge": Field("badge", FieldType.TEXT, "A word on the corner", required=True),
            "size": Field("size", FieldType.CHOICE, choices=("small", "2")),
            "image": Field("image", FieldType.IMAGE, needs_alt=True),
            "thumb": Field("thumb", FieldType.IMAGE),
        },
    )


def test_a_collection_without_a_kind_is_a_kind_of_its_own_and_needs_no_fields() -> None:
    rules = parse_collections(TEXT, "content/collections.yaml", Problems())
    assert rules.collections["notes"] == Collection("notes", "notes", "notes/line.html", line=13)
