"""What every store promises of erasing: nothing of the person is left, nothing comes back, everybody else stays."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.errors import ReadOnlyStore, StaleVersion, TakenOver
from personalize.events.event import CONSENT, Event
from personalize.profiles.profile import Ties
from personalize.profiles.queue import RowChange
from personalize.profiles.watched import WATCH, WatchProjector
from personalize.stores.erasure import Erasure
from personalize.stores.memory.store import MemoryStore
from personalize.stores.projecting import MARKS
from personalize.stores.protocols import Applied, Export, Live, Store
from personalize.stores.refusing import Refusal, Refused
from tests.stores import samples
from tests.stores.filling_contract import MORE, SOME, Make, drawn, play
from tests.stores.samples import all_of, at, event, projectors, purchase
from tests.trust.trials import trials

#: Stores of the contract suite are made with these.
KEYS = ("the first key of a site that is a test", "the second key of a site that is a test")


async def erase(store: Store, profile_id: str, minutes: float = 1_000) -> Erasure:
    """Erase somebody, by default after all that the samples tell of."""
    return await store.erase(profile_id, at=at(minutes), by="ann", projectors=projectors())


async def names(store: Store) -> set[str]:
    """Every id that the store still tells of, wherever it does."""
    found = {profile.profile_id for profile in await all_of(store.profiles())}
    found |= {joined for profile in await all_of(store.profiles()) for joined in profile.joined_from}
    for each in await all_of(store.log()):
        found |= {each.profile_id, str(each.properties.get("from", each.profile_id))}
    return found


def join(known: str, anonymous: str, minutes: float) -> Event:
    """A login takes a browser over, as the middleware tells of it."""
    return event("join", known, {"from": anonymous}, minutes, f"join:{anonymous}", sender="web")


class ErasureContract:
    """The laws of erasing; `make` comes from the whole suite."""

    def test_a_person_is_erased_with_the_browsers_that_joined_and_nobody_else(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            hers = [purchase("v:ann"), purchase("v:bob", minutes=1), join("u:1", "v:ann", 2), join("u:1", "v:bob", 3)]
            theirs = [purchase("u:2", minutes=1), purchase("v:eve", minutes=4)]
            mixed = [
                each for pair in zip(hers, [*theirs, purchase("u:2"), purchase("u:2")], strict=True) for each in pair
            ]
            await store.apply(mixed, projectors())
            before = await store.profile("u:2")
            receipt = await erase(store, "u:1")
            assert (receipt.profiles, receipt.events, receipt.by, receipt.at) == (3, 4, "ann", at(1_000))
            assert await names(store) == {"u:2", "v:eve"}
            for gone in ("u:1", "v:ann", "v:bob"):
                assert await store.profile(gone) is None
                assert await all_of(store.history(gone)) == []
                assert await store.erased_at(gone) == at(1_000)
            assert await store.profile("u:2") == before
            assert len(await all_of(store.history("u:2"))) == 3
            assert await store.erased_at("u:2") is None

        play(make, scene)

    def test_a_late_retry_is_refused_and_says_why(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            sent, other = purchase("u:1"), purchase("u:2")
            await store.apply([sent], projectors())
            await erase(store, "u:1")
            late = replace(sent, event_id="another", received_at=at(2_000))
            applied = await store.apply([sent, other, late], projectors())
            assert applied == Applied(
                new=1, repeated=0, refused=(Refused(sent, Refusal.ERASED), Refused(late, Refusal.ERASED))
            )
            assert await names(store) == {"u:2"}
            assert await store.apply([other, sent], projectors()) == Applied(0, 1, (Refused(sent, Refusal.ERASED),))

        play(make, scene)

    def test_a_login_may_come_back_and_only_what_occurs_then_counts(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("u:1", minutes=1)], projectors())
            await erase(store, "u:1", minutes=10)
            events = [purchase("u:1", 7, minutes) for minutes in (9, 10, 10.01)]
            assert len((await store.apply(events, projectors())).refused) == 2
            profile = await store.profile("u:1")
            assert profile is not None and profile.totals["purchase"].count == 1
            assert await all_of(store.history("u:1")) == events[2:]
            await erase(store, "u:1", minutes=20)
            assert await store.erased_at("u:1") == at(20)
            assert await names(store) == set()

        play(make, scene)

    def test_an_anonymous_id_never_comes_back_nor_joins_anybody(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("v:ann"), purchase("v:bob")], projectors())
            await erase(store, "v:ann", minutes=10)
            later = [purchase("v:ann", minutes=11), join("u:2", "v:ann", 12), join("u:2", "v:bob", 13)]
            assert [each.event for each in (await store.apply(later, projectors())).refused] == later[:2]
            assert await names(store) == {"v:bob", "u:2"}

        play(make, scene)

    def test_a_join_that_comes_late_takes_the_browser_along(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("u:1"), purchase("v:ann")], projectors())
            await erase(store, "u:1", minutes=10)
            # Another worker had them in its queue.
            applied = await store.apply(
                [purchase("v:bob"), join("u:1", "v:ann", 9), join("u:1", "v:bob", 9)], projectors()
            )
            assert applied.new == 1 and len(applied.refused) == 2
            assert await names(store) == set()
            assert await store.erased_at("v:ann") == await store.erased_at("v:bob") == at(10)

        play(make, scene)

    def test_a_join_to_somebody_else_keeps_a_browser_from_being_taken_along(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("v:ann"), join("u:2", "v:ann", 1)], projectors())
            await erase(store, "u:1", minutes=10)
            await store.apply([event("join", "u:1", {"from": "v:ann"}, 5)], projectors())
            assert await names(store) == {"v:ann", "u:2"}

        play(make, scene)

    def test_a_browser_that_joined_is_no_person_of_its_own(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("v:ann"), join("u:1", "v:ann", 1)], projectors())
            with pytest.raises(TakenOver) as caught:
                await erase(store, "v:ann")
            assert (caught.value.profile_id, caught.value.into) == ("v:ann", "u:1")
            assert await names(store) == {"v:ann", "u:1"}
            assert await store.erased_at("v:ann") is None
            assert list(await store.erasures()) == []

        play(make, scene)

    def test_a_join_that_nothing_followed_from_does_not_name_the_erased_any_more(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            refusing = event("consent", "u:1", {"granted": []}, 0)
            others = [
                purchase("u:1", minutes=1),
                purchase("v:ann"),
                join("u:1", "v:ann", 2),
                purchase("u:1", minutes=3),
            ]
            await store.apply([refusing, *others], projectors())
            await erase(store, "v:ann", minutes=10)
            assert await names(store) == {"u:1"}
            assert await all_of(store.history("u:1")) == [others[3], others[0], refusing]

        play(make, scene)

    def test_a_browser_that_was_parted_from_a_login_stays_and_forgets_its_name(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            parted = event("undo", "u:1", {"from": "v:ann"}, 3)
            await store.apply([purchase("v:ann"), join("u:1", "v:ann", 2), parted, purchase("u:1")], projectors())
            claimed = await store.profile("v:ann")
            assert claimed is not None and claimed.ties.claimed_by == ("u:1",)
            receipt = await erase(store, "u:1")
            assert (receipt.profiles, receipt.events) == (1, 3)
            assert await names(store) == {"v:ann"}
            left = await store.profile("v:ann")
            assert left is not None and left.totals["purchase"].count == 1
            assert "u:1" not in repr(left)
            await store.rebuild(projectors())
            assert await store.profile("v:ann") == left

        play(make, scene)

    def test_a_browser_that_was_parted_is_erased_by_itself_and_named_nowhere(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            parted = event("undo", "u:1", {"from": "v:ann"}, 3)
            await store.apply([purchase("v:ann"), join("u:1", "v:ann", 2), parted, purchase("u:1")], projectors())
            await erase(store, "v:ann")
            assert await names(store) == {"u:1"}
            left = await store.profile("u:1")
            assert left is not None and left.totals["purchase"].count == 1
            assert "v:ann" not in repr(left)

        play(make, scene)

    def test_a_browser_of_two_logins_forgets_the_one_that_is_erased(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            parted = event("undo", "u:1", {"from": "v:ann"}, 3)
            both = [join("u:1", "v:ann", 2), parted, event("join", "u:2", {"from": "v:ann"}, 4)]
            await store.apply([purchase("v:ann"), *both, purchase("u:1"), purchase("u:2")], projectors())
            claimed = await store.profile("v:ann")
            assert claimed is not None and claimed.ties.claimed_by == ("u:1", "u:2")
            await erase(store, "u:1")
            left = [await store.profile(each) for each in ("v:ann", "u:2")]
            assert "u:1" not in repr(left)
            assert left[1] is not None and left[1].totals["purchase"].count == 2
            await store.rebuild(projectors())
            assert [await store.profile(each) for each in ("v:ann", "u:2")] == left

        play(make, scene)

    def test_a_login_that_came_second_is_as_if_the_browser_had_never_been(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            both = [join("u:1", "v:ann", 2), event("join", "u:2", {"from": "v:ann"}, 4)]
            await store.apply([purchase("v:ann"), *both, purchase("u:2", minutes=1)], projectors())
            await erase(store, "u:1")
            assert await names(store) == {"u:2"}
            left = await store.profile("u:2")
            assert left is not None and left.ties == Ties() and left.totals["purchase"].count == 1

        play(make, scene)

    def test_a_login_goes_on_refusing_when_the_browser_is_erased_that_had_refused(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            agreed = event(CONSENT, "u:1", {"granted": ["measure", "personalize"]}, 0)
            refused = event(CONSENT, "v:ann", {"granted": []}, 1)
            await store.apply([agreed, refused, join("u:1", "v:ann", 2), purchase("u:2")], projectors())
            assert (await erase(store, "v:ann")).profiles == 1
            login = await store.profile("u:1")
            assert login is not None and login.consent.refused and login.consent_at == at(0)
            assert await names(store) == {"u:1", "u:2"}
            told = (await all_of(store.history("u:1")))[0]
            assert (told.type, told.sender, told.properties) == (CONSENT, "erasure", {"granted": []})
            await store.rebuild(projectors())
            assert await store.profile("u:1") == login

        play(make, scene)

    def test_nobody_who_is_watched_is_tied_to_the_erased_any_more(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            watching = (*projectors(), WatchProjector())
            parted = event("undo", "u:1", {"from": "v:ann"}, 3)
            await store.apply([purchase("v:ann"), join("u:1", "v:ann", 2), parted, purchase("u:1")], watching)
            await store.exchange(MARKS, [RowChange("sweep", None, b'{"after": "u:1"}'), RowChange("else", None, b"{}")])
            await store.erase("u:1", at=at(9), by="ann", projectors=watching)
            rows = await store.kept(WATCH, ["v:ann", "u:1"])
            assert WatchProjector().decode(rows["v:ann"]).partners == () and "u:1" not in rows
            assert set(await store.kept(MARKS, ["sweep", "else"])) == {"else"}

        play(make, scene)

    def test_nobody_is_erased_under_rules_that_are_not_live(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("u:1")], projectors())
            await store.set_live(Live("v1", at(0), "ann"), projectors())
            with pytest.raises(StaleVersion):
                await store.erase("u:1", at=at(9), by="ann", projectors=projectors(), version="v2")
            assert await names(store) == {"u:1"} and not await store.erasures()

        play(make, scene)

    def test_somebody_unknown_is_sealed_all_the_same(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            receipt = await erase(store, "v:ann")
            assert (receipt.profiles, receipt.events) == (0, 0)
            assert (await store.apply([purchase("v:ann")], projectors())).refused
            assert await names(store) == set()

        play(make, scene)

    def test_receipts_stay_and_tell_nothing_of_the_person(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("u:1"), purchase("u:2")], projectors())
            receipts = [await erase(store, "u:1", 10), await erase(store, "u:2", 20)]
            assert list(await store.erasures()) == receipts
            assert len({each.seal for each in receipts}) == 2
            assert all("u:" not in each.seal and len(each.seal) == 32 for each in receipts)

        play(make, scene)

    def test_a_receipt_names_the_copies_that_may_hold_the_erased(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.note_export(Export("early", at(0), "ann", "log", "early.jsonl", ended_at=at(4)))
            await store.note_export(Export("late", at(5), "ann", "backup", "late.db", ended_at=at(6)))
            await store.note_export(Export("broken", at(7), "ann", "all", "elsewhere"))
            await store.apply([purchase("u:1", minutes=5), purchase("u:2", minutes=1)], projectors())
            receipts = [await erase(store, each) for each in ("u:1", "u:2", "u:3")]
            assert [each.copies for each in receipts] == [("late", "broken"), ("early", "late", "broken"), ()]
            assert list(await store.erasures()) == receipts

        play(make, scene)

    def test_what_waits_to_be_projected_is_erased_with_the_joins_in_it(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("u:2")], projectors())
            await store.apply([purchase("v:ann"), join("u:1", "v:ann", 1), purchase("u:2"), purchase("u:1")], ())
            await erase(store, "u:1")
            assert await names(store) == {"u:2"}
            await store.apply([purchase("u:2")], projectors())
            profile = await store.profile("u:2")
            assert profile is not None and profile.totals["purchase"].count == 3

        play(make, scene)

    @pytest.mark.parametrize("gone", ["u:1", "v:ann", "u:2"])
    def test_whoever_is_erased_while_counters_are_filled_is_in_no_generation(self, make: Make, gone: str) -> None:
        async def scene(store: Store) -> None:
            log = [purchase(who, 600_000, minutes) for minutes in range(9) for who in ("v:ann", "u:1", "u:2")]
            await store.apply(log, SOME.projectors)
            await store.set_live(Live("v1", at(0), "ann"), MORE.projectors)
            await store.fill(MORE.projectors, version="v1", at=at(0), events=25)
            # Behind these two nothing is left that was not filled: the next entry must not be taken for one of them.
            await store.apply([purchase(gone, minutes=10), purchase(gone, minutes=11)], MORE.projectors, version="v1")
            await store.fill(MORE.projectors, version="v1", at=at(0), events=3)
            await erase(store, gone, minutes=20)
            stays = next(each for each in ("u:1", "u:2") if each != gone)
            await store.apply([purchase(stays, 700_000, minutes=21)], MORE.projectors, version="v1")
            while not (await store.fill(MORE.projectors, version="v1", at=at(0), events=2)).rests:
                pass
            profile = await store.profile(stays)
            assert profile is not None
            assert (profile.totals["purchase"].count, len(profile.recent["all"])) == (10, 5)
            assert gone not in await names(store)
            live = await all_of(store.profiles())
            await store.rebuild(MORE.projectors)
            assert await all_of(store.profiles()) == live

        play(make, scene)

    @pytest.mark.trust
    @settings(drawn, max_examples=trials(8, 300))
    @given(batches=samples.batches, erased=st.lists(st.sampled_from(samples.PROFILES), max_size=3), data=st.data())
    def test_after_any_erasures_rebuilt_equals_live_and_no_name_is_left(
        self, make: Make, batches: Sequence[Sequence[Event]], erased: Sequence[str], data: st.DataObject
    ) -> None:
        turns = data.draw(st.permutations([*batches, *erased]))

        async def scene(store: Store) -> None:
            for turn in turns:
                if isinstance(turn, str):
                    try:
                        await erase(store, turn)
                    except TakenOver:
                        continue
                    assert turn not in await names(store)
                    assert not any(f"'{turn}'" in repr(profile) for profile in await all_of(store.profiles()))
                else:
                    applied = await store.apply(turn, projectors())
                    said = (applied.new, applied.repeated, applied.conflicting, len(applied.refused))
                    assert sum(said) == len(turn)
            live, log = await all_of(store.profiles()), await all_of(store.log())
            assert await store.rebuild(projectors()) == len(log)
            assert await all_of(store.profiles()) == live
            histories = [one for each in samples.PROFILES for one in (await all_of(store.history(each)))[::-1]]
            assert sorted(histories, key=repr) == sorted(log, key=repr)

        play(make, scene)

    def test_what_is_compacted_is_as_before(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("v:ann"), purchase("v:bob")], projectors())
            await erase(store, "v:ann")
            before = (await all_of(store.log()), await all_of(store.profiles()))
            assert await store.compaction_due_since() == at(1_000)
            await store.compact(at=at(2_000))
            assert await store.compaction_due_since() is None
            assert (await all_of(store.log()), await all_of(store.profiles())) == before
            assert (await store.apply([purchase("v:bob")], projectors())).new == 1
            await erase(store, "v:bob", minutes=3_000)
            await erase(store, "v:eve", minutes=4_000)
            assert await store.compaction_due_since() == at(3_000)

        play(make, scene)

    def test_a_store_that_takes_over_from_another_refuses_whom_that_one_had_erased(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            other = MemoryStore(KEYS)
            await other.apply([purchase("v:ann"), join("u:1", "v:ann", 1)], projectors())
            receipts = [await erase(other, "u:1"), await erase(other, "u:3", minutes=2_000)]
            await erase(store, "u:3", minutes=500)
            own = list(await store.erasures())
            for _ in range(2):
                await store.take_over(await other.erasures(), await other.sealed())
            assert list(await store.erasures()) == own + receipts
            assert list(await store.sealed()) == list(await other.sealed())
            assert await store.erased_at("v:ann") == at(1_000)
            assert await store.erased_at("u:3") == at(2_000)
            assert len((await store.apply([purchase("v:ann")], projectors())).refused) == 1

        play(make, scene)

    def test_a_past_knows_nobody_who_was_erased_since(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("v:ann"), purchase("v:bob")], projectors())
            past = await store.as_of(at(5), projectors())
            await erase(store, "v:ann")
            assert await past.profile("v:ann") is None
            assert await past.profile("v:bob") is not None
            assert await past.erased_at("v:ann") == at(1_000)
            assert len(await past.erasures()) == 1
            with pytest.raises(ReadOnlyStore):
                await erase(past, "v:bob")
            with pytest.raises(ReadOnlyStore):
                await past.compact(at=at(0))
            await past.close()

        play(make, scene)
