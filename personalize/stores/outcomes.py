"""What becomes of each event of a batch: whether it is new, was told before, or contradicts what the log has."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from personalize.events.event import Event
from personalize.stores.erasing import Sifted
from personalize.stores.event_text import properties_as_text, properties_from_text
from personalize.stores.protocols import Applied, Outcome
from personalize.stores.refusing import Refused


def outcome_of(event: Event, kept: Event) -> Outcome:
    """What becomes of an event whose sender and id are those of one that the log keeps."""
    is_same = _said(event) == _said(kept) and _are_of_one_moment(event, kept)
    return Outcome.REPEATED if is_same else Outcome.CONFLICTING


def applied(batch: Sequence[Event], sifting: Sifted, others: Mapping[int, Outcome]) -> Applied:
    """What became of a batch; `others` are the outcomes of what was taken and is not new, by its place there."""
    if sifting.refused:
        refused = {id(one.event) for one in sifting.refused}
        places = [place for place, event in enumerate(batch) if id(event) not in refused]
        others = {place: Outcome.REFUSED for place, event in enumerate(batch) if id(event) in refused} | {
            places[place]: outcome for place, outcome in others.items()
        }
    return _counted(len(batch), others, sifting.refused)


def parted(together: Applied, sizes: Sequence[int]) -> Iterator[Applied]:
    """What became of each of several batches of these sizes that were applied as one."""
    refused, first = iter(together.refused), 0
    for size in sizes:
        places = range(first, first + size)
        others = {place - first: together.others[place] for place in places if place in together.others}
        yield _counted(size, others, tuple(islice(refused, list(others.values()).count(Outcome.REFUSED))))
        first += size


def _counted(size: int, others: Mapping[int, Outcome], refused: tuple[Refused, ...]) -> Applied:
    outcomes = list(others.values())
    return Applied(
        new=size - len(others),
        repeated=outcomes.count(Outcome.REPEATED),
        refused=refused,
        conflicting=outcomes.count(Outcome.CONFLICTING),
        others=others,
    )


def _said(event: Event) -> tuple[object, ...]:
    """All that the sender said, but for when it occurred."""
    return (event.type, event.profile_id, event.channel, properties_from_text(properties_as_text(event.properties)))


def _are_of_one_moment(event: Event, kept: Event) -> bool:
    """Whether they say the same of when it occurred. One who does not say has it from our clock: then it is when it was
    received."""
    return event.occurred_at == kept.occurred_at or all(one.occurred_at == one.received_at for one in (event, kept))
