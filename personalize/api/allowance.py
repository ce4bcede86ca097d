"""How often somebody may do something: a bucket each that fills again, in a bounded memory."""

import math
from collections import OrderedDict
from time import monotonic

MOST_REMEMBERED = 10_000


class Allowance:
    """`burst` at once, and as many again each minute, for each key.

    The keys that were used longest ago are forgotten first: they begin anew with a full bucket, as they would have by
    then. (The token bucket of traffic shaping.)
    """

    def __init__(self, burst: int) -> None:
        self._burst = burst
        self._per_second = burst / 60
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> int | None:
        """Use it once; None where that is allowed, else after how many seconds it will be."""
        left, now = self._left(key), monotonic()
        if left < 1:
            return max(1, math.ceil((1 - left) / self._per_second))
        self._buckets[key] = left - 1, now
        self._buckets.move_to_end(key)
        if len(self._buckets) > MOST_REMEMBERED:
            self._buckets.popitem(last=False)
        return None

    def exhausted(self, key: str) -> int | None:
        """After how many seconds it will be allowed again, without using it; None where it is now."""
        left = self._left(key)
        return None if left >= 1 else max(1, math.ceil((1 - left) / self._per_second))

    def _left(self, key: str) -> float:
        left, at = self._buckets.get(key, (float(self._burst), 0.0))
        return min(float(self._burst), left + (monotonic() - at) * self._per_second)
