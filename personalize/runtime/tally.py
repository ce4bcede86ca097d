"""How often each bit was set in many numbers, counted for all bits at once."""


class Tally:
    """Counts of bits, standing upright: the i-th plane holds the i-th binary digit of all of them.

    A number is added to all counts in two steps on average, however many bits it has: a plane passes on what it and
    the number have in common. One by one, each bit that is set would cost as much as a step.
    """

    def __init__(self) -> None:
        self._planes: list[int] = []

    def add(self, bits: int) -> None:
        """Count each bit that is set."""
        planes, at = self._planes, 0
        while bits:
            if at == len(planes):
                planes.append(0)
            plane = planes[at]
            planes[at], bits = plane ^ bits, plane & bits
            at += 1

    def __getitem__(self, bit: int) -> int:
        """How often the bit of this number was set."""
        return sum((plane >> bit & 1) << digit for digit, plane in enumerate(self._planes))
