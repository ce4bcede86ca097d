"""Values of which every page view makes some: frozen for whoever reads and checks the code, light to make."""

from typing import TYPE_CHECKING

__all__ = ["light_dataclass"]

if TYPE_CHECKING:
    # A type checker sees what is meant, and refuses every assignment to a field.
    from dataclasses import dataclass as light_dataclass
else:
    from dataclasses import dataclass

    def light_dataclass(*, frozen, slots):
        """`@dataclass(frozen=True, slots=True)` for type checkers; at run time nothing guards the fields.

        Python sets each field of a frozen dataclass by a call of `object.__setattr__`, so that one takes six times
        as long to make. A page view makes about ten of them, of about 80 fields: a tenth of what it costs.
        """
        return dataclass(slots=slots, unsafe_hash=frozen)
