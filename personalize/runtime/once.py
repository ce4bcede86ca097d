"""Attributes that are worked out when somebody first asks."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801  read as a decorator, like `property`
    """A method as an attribute: the first access calls it and keeps the answer on the instance.

    For objects of one request, which no two threads share: `functools.cached_property` of Python 3.11 takes a lock
    that costs as much as the rest of it.
    """

    def __init__(self, work: Callable[[Any], T]) -> None:
        self._work = work
        self._name = work.__name__
        self.__doc__ = work.__doc__

    def __get__(self, instance: Any, owner: type) -> T:
        answer = self._work(instance)
        # From now on found on the instance, before this descriptor is asked. (Through `__dict__` it would be put
        # there as well, but Python would have to make a dict of the instance first.)
        setattr(instance, self._name, answer)
        return answer
