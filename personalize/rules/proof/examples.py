"""Examples of visitors in words, as an editor would tell of them."""

from collections.abc import Iterator
from datetime import date, datetime

from personalize.durations import format_duration
from personalize.events.event import from_micros
from personalize.rules.describe import Describer, listed
from personalize.rules.facts import NOW_INSTANT, PAIR_ROOT, Fact, FactType
from personalize.rules.now_facts import NOW
from personalize.rules.proof.proof import Witness


def told(example: Witness, describer: Describer) -> str:
    """Who the example is: `a visitor with purchase.count 5 and profile.country "NO", of whom … is not known`."""
    known = list(_known(example, describer))
    unknown = [example.facts[name] for name, value in example.values.items() if value is None]
    missing = [_name(fact) for fact in unknown if fact.root != PAIR_ROOT]
    text = f"a visitor with {listed(known)}" if known else "a visitor"
    if missing and not known:
        text += f" of whom {listed(missing, 'or')} is not known"
    return f"{text} on {_moment(example, describer)}" if example.is_timely else text


def _known(example: Witness, describer: Describer) -> Iterator[str]:
    for name, value in example.values.items():
        fact = example.facts[name]
        if value is None or fact.root in (NOW, PAIR_ROOT):
            continue
        if fact.type is FactType.TIMES:
            yield _counted(fact, value, example.now)
        elif name in example.ages and isinstance(value, datetime):
            yield f"{name} {format_duration(example.now - value)} ago"
        else:
            yield f"{name} {describer.value(fact, value)}"


def _counted(fact: Fact, value: object, now: datetime) -> str:
    times = [now - from_micros(micros) for micros in value] if isinstance(value, tuple) else []
    if not times:
        return f"no {fact.title}"
    if len(times) == 1:
        return f"one {fact.title} {format_duration(times[0])} ago"
    ages = sorted({format_duration(age): age for age in times}.items(), key=lambda one: one[1])
    return f"{len(times)} of {fact.title}, {listed([f'{text} ago' for text, _ in ages])}"


def _name(fact: Fact) -> str:
    return fact.title if fact.type is FactType.TIMES else fact.name


def _moment(example: Witness, describer: Describer) -> str:
    text = describer.value(NOW_INSTANT, example.now)
    return f"{date.fromisoformat(text[:10]):%A} {text}"
