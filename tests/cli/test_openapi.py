"""`openapi`: the description of the API with the site's own events and attributes, printed or written."""

import json

from jsonschema import Draft202012Validator

from personalize.api.operations import OPERATIONS
from tests.cli.terminal import Terminal


def test_the_description_has_the_site_s_own_names(shop: Terminal) -> None:
    told = json.loads(shop.well("openapi"))
    assert told["openapi"] == "3.1.0"
    assert len(told["paths"]) == len(OPERATIONS)
    bought = told["components"]["schemas"]["Event.purchase"]
    Draft202012Validator.check_schema(bought)
    assert "amount" in bought["properties"]["properties"]["properties"]
    one = told["paths"]["/events"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert one["discriminator"]["mapping"]["purchase"] == "#/components/schemas/Event.purchase"


def test_it_is_written_where_it_is_wanted(shop: Terminal) -> None:
    assert shop.well("openapi", "--out", "api.json") == "wrote api.json\n"
    assert (shop.folder / "api.json").read_text(encoding="utf-8") == shop.well("openapi")
    said = shop.said("openapi", "--out", "nowhere/api.json", exit_code=2)
    assert said == "Error: nowhere/api.json cannot be written: No such file or directory\n"
