"""What visitors belong to: its own attributes are told and read by its name, with what its members add up to."""

from pathlib import Path
from typing import Any

from personalize.web.middleware import PersonalizeMiddleware
from tests.api.channel import API_RULES, ORGANIZATIONS, channel, on_site, purchase

AGREED = ["measure", "personalize"]


def told(id: str, **more: Any) -> dict[str, Any]:
    """News of a company."""
    return {"id": id, "organization": "Acme", **more}


def test_what_is_told_of_an_organization_is_read_again_once_for_each_id(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        crm = await channel(app, "profiles:write", "profiles:read", "events:write", "consent")
        gold = told("o1", attributes={"plan": "gold", "limit": "1000.00"})
        assert [(await crm.call("/organizations/attributes", gold)).status for _ in range(2)] == [201, 200]
        late = told("o2", attributes={"plan": "basic"}, at="2020-01-01T00:00:00Z")
        assert (await crm.call("/organizations/attributes", late)).status == 201
        for number, who in enumerate(("u:anna", "u:ole")):
            await crm.call("/consent", {"id": f"c{number}", "visitor": who, "granted": AGREED})
            await crm.call("/attributes", {"id": f"a{number}", "visitor": who, "attributes": {"company": "ACME"}})
            await crm.call("/events", purchase(f"p{number}", visitor=who, properties={"amount": 10}))
        assert (await crm.call("/organizations/read", {"organization": "acme"})).values == {
            "organization": "acme",
            "attributes": {"plan": "gold", "limit": "1000.00"},
            "members": 2,
            "totals": {"purchase": {"count": 2, "sum": "20.00"}},
        }
        assert (await crm.call("/organizations/read", {"organization": "Other"})).values["members"] == 0

    on_site(tmp_path, body)


def test_what_it_is_not_declared_to_have_is_refused(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        crm = await channel(app, "profiles:write")
        for attributes, pointer in (({"paln": "gold"}, "/attributes/paln"), ({"plan": "tin"}, "/attributes/plan")):
            wrong = await crm.call("/organizations/attributes", told("o1", attributes=attributes))
            assert (wrong.status, wrong.values["pointer"]) == (422, pointer)
        assert (await crm.call("/organizations/attributes", told("o1", attributes={}))).code == "invalid"
        for name in ("", "x" * 201, "a\nb"):
            assert (await crm.call("/organizations/attributes", {**told("o1"), "organization": name})).status == 422

    on_site(tmp_path, body)


def test_a_site_that_knows_no_organizations_says_so(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        crm = await channel(app, "profiles:read")
        assert (await crm.call("/organizations/read", {"organization": "Acme"})).code == "no_organizations"

    on_site(tmp_path, body, rules=API_RULES.removeprefix(ORGANIZATIONS))
