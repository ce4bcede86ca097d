"""Who was erased, as one copy of a store tells another: a backup that is restored must give nobody back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from personalize.exports.erasure_files import receipts_in, seals_in
from personalize.exports.manifest import Manifest
from personalize.runtime.publish import projectors_to_erase
from personalize.settings import Settings
from personalize.stores.erasure import Erasure
from personalize.stores.protocols import Store


@dataclass(frozen=True, slots=True)
class Erased:
    """What a store tells of its erasures: the receipts, and the seal of each id with when it was erased last."""

    receipts: Sequence[Erasure]
    sealed: Sequence[tuple[str, datetime]]


@dataclass(frozen=True, slots=True)
class ErasedAgain:
    """How many `ids` were erased again, and whether who stays `is_projected` anew: not where the live rules don't load
    here; they forget the names alone then."""

    ids: int
    is_projected: bool


async def erased_in(store: Store) -> Erased:
    """Who was erased in an open store."""
    return Erased(await store.erasures(), await store.sealed())


def erased_in_export(folder: Path, manifest: Manifest) -> Erased:
    """Who was erased in the store that an export was made of. Raises `ExportRefused` at a line that tells nobody."""
    return Erased(
        [each for file in manifest.of("receipts") for each in receipts_in(folder / file.path)],
        [each for file in manifest.of("erased") for each in seals_in(folder / file.path)],
    )


async def erase_again(store: Store, erased: Erased, settings: Settings) -> ErasedAgain:
    """Erase in the open `store` whom another copy of it has erased, as far as it has the keys of that one; receipts and
    seals come along. It may be called again at any time."""
    projectors = await projectors_to_erase(store, settings)
    return ErasedAgain(await store.take_over(erased.receipts, erased.sealed, projectors), bool(projectors))
