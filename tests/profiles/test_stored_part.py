"""A part of a stored row is a mapping like any other, and what nobody asks for is neither read nor written anew."""

from personalize.profiles.stored_part import StoredPart, having, written


def read(stored: list[int]) -> int:
    return stored[0]


def part() -> StoredPart[int]:
    return StoredPart({"one": [1], "two": [2]}, read)


def test_it_looks_like_a_mapping() -> None:
    assert part().get("one") == part()["one"] == 1
    assert part().get("three") is None and part().get("three", 3) == 3
    assert "one" in part() and "three" not in part()
    assert list(part().items()) == [("one", 1), ("two", 2)]
    assert {**part()} == {"one": 1, "two": 2} == part()
    assert len(part()) == 2 and repr(part()) == repr({"one": 1, "two": 2})


def test_a_value_is_read_for_each_who_asks_so_that_none_can_change_it_for_others() -> None:
    lists = StoredPart({"one": [1]}, list)
    for found in (lists["one"], lists.get("one"), dict(lists)["one"]):
        found.append(2)
    assert lists["one"] == [1]


def test_one_value_more_leaves_the_others_unread_and_the_first_part_as_it_was() -> None:
    first = part()
    after = having(first, "two", 22)
    assert type(after) is StoredPart
    assert written(after, lambda value: f"written {value}") == {"one": [1], "two": "written 22"}
    assert dict(after) == {"one": 1, "two": 22}
    assert dict(first) == {"one": 1, "two": 2}


def test_what_was_never_stored_is_written_whole() -> None:
    assert written(having({"one": 1}, "two", 2), str) == {"one": "1", "two": "2"}
