"""Looking into JSON of strangers: what stands at a place, where it is of the kind that is expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leadlight.enrich.convert import number_of, text_of


def at(answer: Any, *path: str | int) -> Any:
    """Return what stands at a place; None where there is no such place.

    >>> at({"a": [{"b": 1}]}, "a", 0, "b"), at({"a": 3}, "a", 0, "b")
    (1, None)
    """
    for part in path:
        if isinstance(answer, dict):
            answer = answer.get(part)
        elif isinstance(answer, list) and isinstance(part, int) and -len(answer) <= part < len(answer):
            answer = answer[part]
        else:
            return None
    return answer


def text_at(answer: Any, *path: str | int) -> str | None:
    """Return the text, or number as text, at a place; None where there is none."""
    found = at(answer, *path)
    return None if isinstance(found, list) else text_of(found)


def number_at(answer: Any, *path: str | int) -> float | None:
    """Return the number at a place; None where there is none."""
    return number_of(at(answer, *path))


def items_at(answer: Any, *path: str | int, most: int = 100) -> Iterator[Any]:
    """Return the items of the list at a place, at most so many; none where there is no list."""
    found = at(answer, *path)
    yield from found[:most] if isinstance(found, list) else ()
