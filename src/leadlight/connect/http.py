"""The way to a system: signed, paced, retried, counted, and never to another host than its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from leadlight.errors import RemoteError


@dataclass(frozen=True, slots=True)
class Answer:
    """What the system answered."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the body as JSON; raises RemoteError (trouble) where it is none."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Used:
    """How much of a quota is used up, as the system itself counts (for others' use too)."""

    used: int
    of: int
    until: datetime | None = None


class Sign(Protocol):
    """How requests are signed: see `auth` for bearer tokens, keys, basic, OAuth 2 with refresh, and sessions."""

    def headers(self, ask: Callable[..., Answer]) -> Mapping[str, str]:
        """Return the headers that sign a request; `ask` makes an unsigned request where a token has to be got first."""
        ...

    def expired(self, answer: Answer) -> bool:
        """Say whether this answer means that the token has run out, so that it is worth getting another."""
        ...

    def forget(self) -> None:
        """Drop a token that has run out."""
        ...


@dataclass(frozen=True, slots=True)
class Way:
    """Where an API is and how it speaks."""

    base: str
    """`https://api.hubapi.com`; paths are put behind it."""
    sign: Sign
    refusal: Callable[[Answer], RemoteError | None] = lambda _: None
    """What a refused request means in this vendor's words, and what to do in its settings; None: the usual."""
    used: Callable[[Answer], Used | None] = lambda _: None
    """What an answer tells of the day's quota."""
    hosts: tuple[str, ...] = ()
    """Other hosts that requests may go to (where to sign in)."""
    busy: Callable[[Answer], float | None] = lambda _: None
    """Seconds to wait where an answer that is no 429 or 503 says: too many requests."""


class Http:
    """Requests to one system."""

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        expect: tuple[int, ...] = (),
        retry: bool = True,
    ) -> Answer:
        """Make a request and return its answer: 2xx, or a status of `expect`.

        `path` is put behind the base, or is a whole address on the same host (the next page's, say). Waits for its
        turn; 429, 5xx and broken connections are tried again (as long as the system says; not those that could be done
        twice, where not `retry`); a token that has run out is renewed once. Raises RemoteError.
        """
        raise NotImplementedError

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON of a GET."""
        return self.ask("GET", path, params=params or None).json()

    def post(self, path: str, json: Any) -> Any:
        """Return the JSON of a POST."""
        return self.ask("POST", path, json=json).json()
