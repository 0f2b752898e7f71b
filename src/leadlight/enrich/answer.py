"""JSON of strangers: asking an API for it, and looking into it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from leadlight.enrich.convert import number_of, text_of
from leadlight.enrich.network import MONTH, PAGE_LIMIT, Network, NetworkError, Reply, Why

T = TypeVar("T")


async def answered(
    send: Callable[[timedelta], Awaitable[Reply]], read: Callable[[Reply], T], *, ttl: timedelta, at: datetime
) -> T:
    """Send a request and read its answer; one from the cache that `read` refuses is asked for anew.

    So an error that came in the form of an answer is not believed for as long as an answer. `at` is now: what was told
    to come later is not asked for before.
    """
    reply = await send(ttl)
    try:
        return read(reply)
    except NetworkError as error:
        if not reply.cached or (error.retry_at is not None and error.retry_at > at):
            raise
    return read(await send(timedelta(0)))


async def json_from(
    network: Network, url: str, *, whose: str, at: datetime, params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None, ttl: timedelta = MONTH, nothing: tuple[int, ...] = (404,),
    limit: int = PAGE_LIMIT, check: Callable[[Any], None] | None = None,
) -> Any:  # fmt: skip
    """Return the JSON that an API answers with, None where its status says that there is nothing.

    `whose` is what messages call it; `check` raises NetworkError for answers that are none. Raises NetworkError.
    """

    def read(reply: Reply) -> Any:
        if reply.status in nothing:
            return None
        if not reply.ok:
            raise NetworkError(Why.BROKEN, f"{whose} answered with status {reply.status}")
        answer = reply.json()
        if check is not None:
            check(answer)
        return answer

    said = {"Accept": "application/json", **(headers or {})}

    async def send(ttl: timedelta) -> Reply:
        return await network.get(url, params=params, headers=said, ttl=ttl, limit=limit)

    return await answered(send, read, ttl=ttl, at=at)


# --------------------------------------------------------------------------------------------------- looking into it


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
