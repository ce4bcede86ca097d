"""What a site's own code may declare, and what its functions are given."""

from datetime import UTC, datetime

import pytest

from personalize.errors import AwayFromRequest
from personalize.events.schema import Shape, ValueType
from personalize.rules.own_facts import Occasion, OwnFacts

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def answer(occasion: Occasion) -> object:
    return occasion.facts["page.country"]


def test_a_declared_fact_keeps_its_type_its_words_its_consent_and_what_it_reads() -> None:
    own = OwnFacts()
    declared = own.fact("shop.tags", "list", of="text", fold=True, title="tags", purpose=None, reads=["page.country"])
    assert declared(answer) is answer
    tags = own["shop.tags"]
    assert tags.shape == Shape(ValueType.LIST, of=Shape(ValueType.TEXT, fold=True), fold=True)
    assert (tags.title, tags.purpose, tags.reads, tags.takes) == ("tags", None, ("page.country",), None)
    assert tags.work_out(Occasion({"page.country": "NO"}, NOW)) == "NO"


def test_a_condition_is_given_what_the_rule_wrote() -> None:
    own = OwnFacts()
    own.condition("near", takes="number")(lambda occasion, most: most > 3)
    assert [own["near"].work_out(Occasion({}, NOW), most) for most in (3, 4)] == [False, True]
    assert own["near"].purpose == "personalize"


def test_away_from_a_request_there_is_no_scope() -> None:
    with pytest.raises(AwayFromRequest, match="no page is asked for"):
        _ = Occasion({}, NOW).scope
    assert Occasion({}, NOW, {"path": "/"}).scope == {"path": "/"}


async def slow(occasion: Occasion) -> bool:
    return True


@pytest.mark.parametrize(
    ("declare", "says"),
    [
        (lambda own: own.fact("Shop.Open", "bool"), "small letters"),
        (lambda own: own.fact("a.b.c.d", "bool"), "small letters"),
        (lambda own: own.fact("shop.open", "boolean"), 'can\'t be of the type "boolean": did you mean `bool`'),
        (lambda own: own.fact("shop.size", "choice"), "a choice of nothing"),
        (lambda own: own.condition("near", takes="list"), "takes a single value"),
        (lambda own: own.condition("near", takes="number", title="{} of {}"), "has one {}"),
        (lambda own: own.condition("near", takes="number", title="{0!r}"), "has one {}"),
        (lambda own: (own.fact("shop.open", "bool")(answer), own.fact("shop.open", "bool")), "declared twice"),
        (lambda own: own.fact("shop.open", "bool")(slow), "takes a plain function"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_with_what_is_allowed(declare: object, says: str) -> None:
    with pytest.raises(ValueError) as refused:
        declare(OwnFacts())  # type: ignore[operator]
    assert says in str(refused.value)
