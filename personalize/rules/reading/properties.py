"""The properties of events, and the fields of mappings in lists, as facts that a filter names by dotted paths."""

from collections.abc import Mapping
from dataclasses import dataclass

from personalize.events.schema import Shape, ValueType
from personalize.rules.facts import Fact, FactType, shape_fact
from personalize.rules.paths import split_path


@dataclass(frozen=True, slots=True)
class _Found:
    """What a path leads to: a shape, how many of its steps that took, and whether a list lies on the way."""

    shape: Shape
    steps: int
    many: bool = False


def property_fact(name: str, shapes: Mapping[str, Shape]) -> Fact | None:
    """The property that a dotted name leads to, or None; one inside a list is many. What is left of the path behind
    a value of the type `any` leads on into that value."""
    path = split_path(name)
    found = _lookup(shapes, path) if path is not None else None
    if found is None or path is None:
        return None
    shape = Shape(ValueType.LIST, of=found.shape) if found.many else found.shape
    fact = shape_fact(name, shape, root="event", key=".".join(path[: found.steps]), path=path[found.steps :])
    return None if fact.path and fact.type is not FactType.ANY else fact


def _lookup(shapes: Mapping[str, Shape], path: tuple[str, ...]) -> _Found | None:
    shape = shapes.get(path[0])
    if shape is None or len(path) == 1 or shape.type is ValueType.ANY:
        return None if shape is None else _Found(shape, 1)
    is_list = shape.type is ValueType.LIST and shape.of is not None
    inner = shape.of if is_list and shape.of is not None else shape
    found = _lookup(inner.fields, path[1:])
    if found is None:
        return None
    return _Found(found.shape, found.steps + 1, (found.many or is_list) and found.shape.type is not ValueType.LIST)


def property_names(shapes: Mapping[str, Shape], prefix: str = "") -> list[str]:
    """Every dotted name of a property."""
    names: list[str] = []
    for name, shape in shapes.items():
        inner = shape.of if shape.type is ValueType.LIST and shape.of is not None else shape
        names += property_names(inner.fields, f"{prefix}{name}.") if inner.fields else [f"{prefix}{name}"]
    return names
