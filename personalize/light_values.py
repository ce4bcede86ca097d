"""Values of which every page view and event makes some: frozen for whoever reads and checks the code, light to make."""

from typing import TYPE_CHECKING

__all__ = ["light_dataclass", "mypyc_attr", "replace"]

if TYPE_CHECKING:
    # A type checker sees what is meant, and refuses every assignment to a field.
    from dataclasses import dataclass as light_dataclass
    from dataclasses import replace

    from mypy_extensions import mypyc_attr
else:
    from dataclasses import dataclass, fields
    from functools import cache
    from operator import attrgetter

    def light_dataclass(*, frozen, slots):
        """`@dataclass(frozen=True, slots=True)` for type checkers; at run time nothing guards the fields.

        Python sets each field of a frozen dataclass by a call of `object.__setattr__`, so that one takes six times
        as long to make. A page view makes about ten of them, of about 80 fields: a tenth of what it costs.

        The `__init__` that dataclasses write stays Python in a class that is compiled. So what every page makes and has
        many fields writes its own: each field is `Final`, which guards it as `frozen` would, and a test sees that the
        two lists agree.
        """
        return dataclass(slots=slots, unsafe_hash=frozen)

    def mypyc_attr(**_):
        """What mypyc is told of a class when it compiles it, and nothing to Python.

        `acyclic` says that no value can come to hold itself, so that Python's garbage collector need not go through
        thousands of them that wait to be written.
        """
        return lambda cls: cls

    def replace(value, **changes):
        """`dataclasses.replace` for a light value of several fields, in a third of the time: that one asks for every
        field by its name, and each event changes a profile a few times."""
        places, values = _fields_of(value.__class__)
        after = [*values(value)]
        for name, changed in changes.items():
            if name not in places:
                raise AttributeError(f"{value.__class__.__name__} has no field {name!r}")
            after[places[name]] = changed
        return value.__class__(*after)

    @cache
    def _fields_of(cls):
        names = [field.name for field in fields(cls)]
        return {name: place for place, name in enumerate(names)}, attrgetter(*names)
