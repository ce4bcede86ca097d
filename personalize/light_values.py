"""Values of which every page view and event makes some: frozen for whoever reads and checks the code, light to make."""

from typing import TYPE_CHECKING

__all__ = ["light_dataclass", "replace"]

if TYPE_CHECKING:
    # A type checker sees what is meant, and refuses every assignment to a field.
    from dataclasses import dataclass as light_dataclass
    from dataclasses import replace
else:
    from dataclasses import dataclass, fields
    from functools import cache
    from operator import attrgetter

    def light_dataclass(*, frozen, slots):
        """`@dataclass(frozen=True, slots=True)` for type checkers; at run time nothing guards the fields.

        Python sets each field of a frozen dataclass by a call of `object.__setattr__`, so that one takes six times
        as long to make. A page view makes about ten of them, of about 80 fields: a tenth of what it costs.
        """
        return dataclass(slots=slots, unsafe_hash=frozen)

    def replace(value, **changes):
        """`dataclasses.replace` for a light value of several fields, in a third of the time: that one asks for every
        field by its name, and each event changes a profile a few times."""
        made = value.__class__(*_values_of(value.__class__)(value))
        for name, changed in changes.items():
            setattr(made, name, changed)
        return made

    @cache
    def _values_of(cls):
        return attrgetter(*(field.name for field in fields(cls)))
