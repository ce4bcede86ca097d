"""What files define, on its way from one process to another, in pieces so small that nobody waits while one arrives.

Each piece is pickled by itself. What many of them name, facts and lists of ids, travels once, before the first that
names it. A predicate goes by the word of its operator, a list of ids in parts. Nothing is compiled on this side, so
there is one way from definitions to a rule set.
"""

import pickle
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from io import BytesIO
from itertools import islice
from operator import attrgetter
from types import MappingProxyType
from typing import IO, Any, TypeVar

from personalize.content.library import Library
from personalize.rules.beside import BESIDE
from personalize.rules.definitions import Definitions
from personalize.rules.equality import Listed
from personalize.rules.facts import Fact
from personalize.rules.id_lists import NamedList
from personalize.rules.operators import HAPPENED, IN_WINDOW, OPERATORS, Operator

#: How many rules, segments or items go together: a third of a millisecond of work for who receives them.
_TOGETHER = 10
#: The same for ids of a list, which are light.
_IDS_TOGETHER = 1_000

#: Every operator there is, by its table and its word in it.
_OPERATORS: Mapping[str, Mapping[str, Operator]] = MappingProxyType(
    {"plain": {**OPERATORS, HAPPENED.word: HAPPENED, IN_WINDOW.word: IN_WINDOW}, "beside": BESIDE}
)
_OPERATOR_NAMES = {id(one): (table, word) for table, words in _OPERATORS.items() for word, one in words.items()}
_fields_of_fact = attrgetter(*(field.name for field in fields(Fact)))
_One = TypeVar("_One")


def pack(value: object, file: IO[bytes]) -> None:
    """Write one small value, which `unpack` reads."""
    _Pickler(file).dump(value)


def unpack(file: IO[bytes]) -> Any:
    """The next value that was written. Raises what `pickle` raises where there is none."""
    return pickle.Unpickler(file).load()


def pack_definitions(definitions: Definitions, library: Library, file: IO[bytes]) -> None:
    """Write what a site's files define, piece by piece."""
    packer = _Packer(file)
    for piece in _pieces(definitions, library):
        packer.pack(piece)


def unpack_definitions(file: IO[bytes]) -> tuple[Definitions, Library]:
    """Read what `pack_definitions` wrote. Raises what `pickle` raises where it breaks off."""
    unpacker = _Unpacker(file)
    pieces: dict[str, list[Any]] = {}
    while (piece := unpacker.unpack()) != _END:
        pieces.setdefault(piece.of, []).extend(piece.values)
    return _put_together(pieces)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some of the values of one part."""

    of: str
    values: tuple[Any, ...]


_END = _Piece("end", ())


def _pieces(definitions: Definitions, library: Library) -> Iterator[_Piece]:
    slots = definitions.slots.values()
    rules = (rule for slot in slots for rule in slot.rules)
    yield _Piece("schema", (definitions.schema, definitions.sources))
    yield from _in_pieces("counters", definitions.counters)
    yield from _in_pieces("segments", definitions.segments.values())
    yield from _in_pieces("slots", ((replace(slot, rules=()), len(slot.rules)) for slot in slots))
    yield from _in_pieces("rules", rules)
    yield from _in_pieces("personas", definitions.personas.values())
    yield _Piece("library", (replace(library, items=MappingProxyType({})),))
    yield from _in_pieces("items", library.items.values())
    yield _END


def _in_pieces(of: str, values: Iterable[object], together: int = _TOGETHER) -> Iterator[_Piece]:
    return (_Piece(of, some) for some in _runs(values, together))


def _runs(values: Iterable[_One], length: int) -> Iterator[tuple[_One, ...]]:
    left = iter(values)
    while some := tuple(islice(left, length)):
        yield some


def _put_together(pieces: Mapping[str, list[Any]]) -> tuple[Definitions, Library]:
    rules = iter(pieces.get("rules", ()))
    slots = [replace(slot, rules=tuple(islice(rules, count))) for slot, count in pieces.get("slots", ())]
    schema, sources = pieces["schema"]
    definitions = Definitions(
        schema=schema,
        segments=MappingProxyType({segment.segment_id: segment for segment in pieces.get("segments", ())}),
        slots=MappingProxyType({slot.slot_id: slot for slot in slots}),
        personas=MappingProxyType({persona.persona_id: persona for persona in pieces.get("personas", ())}),
        counters=tuple(pieces.get("counters", ())),
        sources=sources,
    )
    items = MappingProxyType({item.item_id: item for item in pieces.get("items", ())})
    return definitions, replace(pieces["library"][0], items=items)


class _Pickler(pickle.Pickler):
    """Pickles read-only mappings, too, and operators by their names."""

    def reducer_override(self, value: object) -> Any:
        """How a value is made again, where it does not say so itself."""
        if isinstance(value, MappingProxyType):
            return _read_only, (dict(value),)
        return (_operator, _OPERATOR_NAMES[id(value)]) if isinstance(value, Operator) else NotImplemented


def _read_only(mapping: dict[object, object]) -> Mapping[object, object]:
    return MappingProxyType(mapping)


def _operator(table: str, word: str) -> Operator:
    return _OPERATORS[table][word]


class _Packer:
    """Writes pieces; what they share is numbered, and goes ahead of the first that names it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._numbers: dict[int, int] = {}

    def pack(self, piece: _Piece) -> None:
        """Write a piece behind all that it names."""
        written = BytesIO()
        _Sharing(written, self).dump(piece)
        self._file.write(written.getbuffer())

    def number(self, shared: Fact | NamedList) -> int:
        """The number of what is shared, which is written now where it was not yet."""
        known = self._numbers.get(id(shared))
        if known is None:
            if isinstance(shared, Fact):
                self.pack(_Piece("fact", _fields_of_fact(shared)))
            else:
                for piece in _in_pieces("ids", shared.ids, _IDS_TOGETHER):
                    self.pack(piece)
                self.pack(_Piece("list", (shared.name, shared.digest)))
            known = self._numbers[id(shared)] = len(self._numbers)
        return known


class _Sharing(_Pickler):
    """Pickles one piece."""

    def __init__(self, file: IO[bytes], packer: _Packer) -> None:
        super().__init__(file)
        self._packer = packer

    def persistent_id(self, value: object) -> int | None:
        """The number of what is shared."""
        return self._packer.number(value) if isinstance(value, Fact | NamedList) else None


class _Unpacker:
    """Reads pieces, and keeps what they share."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._shared: list[Fact | NamedList] = []
        self._ids: list[object] = []

    def unpack(self) -> _Piece:
        """The next piece of the definitions themselves."""
        while True:
            piece: _Piece = _Named(self._file, self._shared).load()
            if piece.of == "fact":
                self._shared.append(Fact(*piece.values))
            elif piece.of == "ids":
                self._ids += piece.values
            elif piece.of == "list":
                name, digest = piece.values
                self._shared.append(NamedList(name, digest, Listed(self._ids)))
                self._ids = []
            else:
                return piece


class _Named(pickle.Unpickler):
    """Unpickles one piece."""

    def __init__(self, file: IO[bytes], shared: list[Fact | NamedList]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, number: int) -> Fact | NamedList:
        """What was given this number."""
        return self._shared[number]
