"""`schema`: the JSON Schema of the site's own rule files, printed or written."""

import json

from jsonschema import Draft202012Validator

from tests.cli.terminal import Terminal


def test_the_schema_has_the_site_s_own_names(shop: Terminal) -> None:
    schema = json.loads(shop.well("schema"))
    Draft202012Validator.check_schema(schema)
    condition = schema["$defs"]["condition"]["properties"]
    assert "purchase.total" in condition and condition["did"]["enum"] == ["purchase"]
    assert "recent-buyers" in json.dumps(condition["segment"])
    assert "heroes/box-set" in schema["$defs"]["item"]["examples"]


def test_it_is_written_where_it_is_wanted(shop: Terminal) -> None:
    assert shop.well("schema", "--out", "my.schema.json") == "wrote my.schema.json\n"
    assert (shop.folder / "my.schema.json").read_text(encoding="utf-8") == shop.well("schema")


def test_files_with_errors_are_read_as_far_as_they_can_be(shop: Terminal) -> None:
    (shop.folder / "rules/wrong.yaml").write_text(
        "segments: {a: {who: {purchase.cout: 3}}, b: {who: {page.path: /}}}\n"
    )
    assert '"b"' in shop.well("schema")


def test_what_cannot_be_written_is_said_in_one_line(shop: Terminal) -> None:
    said = shop.said("schema", "--out", "nowhere/my.json", exit_code=2)
    assert said == "Error: nowhere/my.json cannot be written: No such file or directory\n"
