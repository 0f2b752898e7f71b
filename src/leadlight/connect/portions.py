"""Things some at a time, as systems take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def portions(things: Iterable[T], most: int) -> Iterator[list[T]]:
    """Yield things in lists of at most so many.

    >>> list(portions("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    rest = iter(things)
    while some := list(islice(rest, most)):
        yield some
