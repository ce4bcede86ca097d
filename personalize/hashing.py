"""Where a visitor stands in a split: a number that is always the same for the same visitor and split.

Frozen by test vectors. Changing one bit here would re-assign every visitor of every running experiment.
"""

from __future__ import annotations

from hashlib import sha1

_HEX_DIGITS = 15
_RANGE: int = 16**_HEX_DIGITS
_BELOW_ONE = 1 - 2.0**-53


def share(key: str, id: str | int, salt: str = "") -> float:
    """The place of `id` in the split `key`, at least 0 and below 1.

    Compare strictly: `share(...) < 0.5` is half of all visitors. A gate uses the salt "", variants use
    "variant", so that opening a gate further moves nobody to another variant. A whole number counts as its
    decimal text. The form is PostHog's (60 bits of SHA-1 of `key.id` and salt), whose published
    results check it. Raises ValueError for a `.` in the key: "a.b" with id "c" and
    "a" with id "b.c" would be one split.
    """
    if "." in key:
        raise ValueError(f'the key of a split cannot contain ".": "{key}"')
    digest = sha1(f"{key}.{id}{salt}".encode(), usedforsecurity=False).hexdigest()
    # The 64 largest values round up to 1.0 as a float, and would fall out of every half-open range.
    return min(int(digest[:_HEX_DIGITS], 16) / _RANGE, _BELOW_ONE)
