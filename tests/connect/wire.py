"""What goes over the wire of a stand-in: calls, replies, routes, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

RETRY_AFTER = 7

FAULTS = ("none", "too_many", "unavailable", "broken", "cut", "html", "empty", "nulls", "numbers", "elsewhere")
"""Nothing (the one after it comes to the request after); 429 with Retry-After; 503; 500; the connection breaks off in
the body; HTML; an empty body; null where a list stood; numbers where texts stood; links to another host."""


@dataclass(frozen=True)
class Call:
    """A request that came."""

    method: str
    url: str
    path: Mapping[str, str]
    """The variables of the route."""
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    at: float
    """By the clock's seconds."""

    @property
    def params(self) -> dict[str, str]:
        """The query (of a name that comes twice, the last)."""
        return dict(self.query)

    def all(self, name: str) -> list[str]:
        """Return all values of a name in the query."""
        return [value for key, value in self.query if key == name]

    def json(self) -> Any:
        """Return the body as JSON."""
        return orjson.loads(self.body)

    def form(self) -> dict[str, str]:
        """Return the body as a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Reply:
    """An answer: JSON, or bytes as they are."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """Return what goes over the wire."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None and self.status == 204 else orjson.dumps(self.body)


Handler = Callable[[Any, Call], Reply]


def route(method: str, path: str, *, open: bool = False) -> Callable[[Handler], Handler]:  # noqa: A002
    """Mark a method that answers requests; `open`: without being asked who one is. The first that fits answers."""

    def mark(handler: Handler) -> Handler:
        routes: list[tuple[str, str, bool]] = handler.__dict__.setdefault("_routes", [])
        routes.insert(0, (method, path, open))
        return handler

    return mark


def spoilt(body: bytes, how: Callable[[Any], Any]) -> bytes:
    try:
        return orjson.dumps(how(orjson.loads(body)))
    except orjson.JSONDecodeError:
        return body


def null(value: Any) -> Any:
    if isinstance(value, list):
        return None
    return {key: null(one) for key, one in value.items()} if isinstance(value, dict) else value


def number(value: Any) -> Any:
    if isinstance(value, list):
        return [number(one) for one in value]
    if isinstance(value, dict):
        return {key: number(one) for key, one in value.items()}
    return 17 if isinstance(value, str) else value
