"""Who is held together by joins is in one group, in whatever order the joins are told."""

from itertools import permutations

from personalize.events.event import JOIN, UNDO
from personalize.runtime.bulk.rebuilding_batches import Groups, persons_in
from tests.stores.samples import event, purchase

JOINS = [
    event(JOIN, "u:1", {"from": "v:a"}),
    event(JOIN, "u:1", {"from": "v:b"}),
    event(UNDO, "u:2", {"from": "v:b"}),
    event(JOIN, "u:3", {"from": "v:c"}),
    event(JOIN, "u:4", {"from": "u:5"}),
    purchase("v:d"),
]


def test_one_id_stands_for_all_whom_joins_hold_together_in_whatever_order() -> None:
    found = {tuple(sorted(persons_in(told).items())) for told in permutations(JOINS)}
    (persons,) = map(dict, found)
    assert persons == {**dict.fromkeys(("u:1", "u:2", "v:a", "v:b"), "u:1"), **dict.fromkeys(("u:3", "v:c"), "u:3")}


def test_a_person_is_in_one_group_and_the_groups_are_about_as_large() -> None:
    groups = Groups(persons_in(JOINS), 4)
    assert len({groups.group_of(each) for each in ("u:1", "u:2", "v:a", "v:b")}) == 1
    sizes = [0] * 4
    for number in range(4_000):
        sizes[groups.group_of(f"v:{number}")] += 1
    assert min(sizes) > 900
