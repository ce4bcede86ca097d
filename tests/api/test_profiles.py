"""What is known of a visitor is told to whoever may know it, and guessing ids leads nowhere."""

from pathlib import Path

from personalize.api.app import MISSES
from personalize.web.middleware import PersonalizeMiddleware
from tests.api.channel import Told, channel, on_site, purchase


def test_a_profile_is_told_whole_in_the_terms_in_which_it_was_sent(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        desk = await channel(app)
        await desk.call("/consent", {"id": "c", "visitor": "u:anna", "granted": ["personalize"]})
        await desk.call("/events", purchase(at="2026-01-02T03:04:05Z"))
        await desk.call("/attributes", {"id": "a", "visitor": "u:anna", "attributes": {"tier": "gold", "size": "4.5"}})
        told = (await desk.call("/profiles/read", {"visitor": "u:anna"})).values
        assert told["attributes"] == {"tier": "gold", "size": 4.5}
        moment = "2026-01-02T03:04:05+00:00"
        assert told["totals"]["purchase"] == {
            "count": 1,
            "first_at": moment,
            "last_at": moment,
            "sum": "29.90",
            "first_value": "29.90",
            "last_value": "29.90",
        }
        assert told["segments"] == ["buyers"]
        assert told["consent"]["granted"] == ["personalize"]
        assert told["events"] == 3

    on_site(tmp_path, body)


def test_ids_that_are_wrong_get_one_answer_and_then_none(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        desk = await channel(app, "profiles:read", "events:write")
        await desk.call("/events", purchase(visitor="u:anna-maria"))
        wrong = ["u:anna-mari", "u:anna-mariaa", "u:ANNA-MARIA", "v:anna-maria", "u:' OR 1=1 --", "v:" + "x" * 100]
        told = [await desk.call("/profiles/read", {"visitor": one}) for one in wrong]
        assert {one.reply.body for one in told} == {told[0].reply.body}
        assert (told[0].status, told[0].code) == (404, "unknown_visitor")
        for number in range(MISSES - len(wrong)):
            assert (await desk.call("/profiles/read", {"visitor": f"u:{number}"})).status == 404
        late = await desk.call("/profiles/read", {"visitor": "u:anna-maria"})
        assert (late.status, late.code) == (429, "too_often")
        other = await channel(app, "profiles:read", sender="other")
        assert (await other.call("/profiles/read", {"visitor": "u:anna-maria"})).status == 200

    on_site(tmp_path, body)


def test_a_visitor_is_found_by_exactly_the_sites_own_id(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        desk = await channel(app)
        await desk.call("/events", purchase())
        assert (await desk.call("/profiles/search", {"user_id": "anna"})).values == {"visitors": ["u:anna"]}
        assert (await desk.call("/profiles/search", {"user_id": "ann"})).values == {"visitors": []}

    on_site(tmp_path, body)


def test_visitors_are_found_by_what_is_declared_searchable_and_by_nothing_else(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        desk = await channel(app)
        for visitor in ("u:anna", "v:ole"):
            told = {"id": visitor, "visitor": visitor, "attributes": {"email": "Anna@Example.org", "tier": "gold"}}
            assert (await desk.call("/attributes", told)).status == 201

        async def found(value: str, attribute: str = "email") -> Told:
            return await desk.call("/profiles/search", {"attribute": attribute, "value": value})

        assert (await found(" anna@example.ORG")).values == {"visitors": ["u:anna", "v:ole"]}
        assert (await found("anna@example.or")).values == {"visitors": []}
        again = {"id": "new", "visitor": "v:ole", "attributes": {"email": "ole@example.org"}}
        await desk.call("/attributes", again)
        assert (await found("anna@example.org")).values == {"visitors": ["u:anna"]}
        await desk.call("/persons/erase", {"visitor": "u:anna"})
        assert (await found("anna@example.org")).values == {"visitors": []}
        wrong = await found("x", "emial")
        assert (wrong.status, wrong.values["pointer"]) == (422, "/attribute") and "email" in wrong.values["hint"]
        assert (await found("gold", "tier")).code == "invalid"
        for body in ({}, {"user_id": "anna", "value": "x"}, {"value": "x"}):
            assert (await desk.call("/profiles/search", body)).code == "invalid"

    on_site(tmp_path, body)


def test_consent_is_read_and_set(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        desk = await channel(app, "consent")
        nobody = await desk.call("/consent/read", {"visitor": "u:anna"})
        assert nobody.values == {"visitor": "u:anna", "granted": None, "at": None}
        said = {"id": "c", "visitor": "u:anna", "granted": ["personalize", "mail"], "at": "2026-01-02T03:04:05Z"}
        assert (await desk.call("/consent", said)).status == 201
        assert (await desk.call("/consent", said)).status == 200
        known = (await desk.call("/consent/read", {"visitor": "u:anna"})).values
        assert (known["granted"], known["at"]) == (["mail", "personalize"], "2026-01-02T03:04:05+00:00")
        wrong = await desk.call("/consent", {**said, "id": "d", "granted": ["mial"]})
        assert (wrong.status, wrong.values["pointer"]) == (422, "/granted/0")
        assert "mail" in wrong.values["hint"]

    on_site(tmp_path, body)
