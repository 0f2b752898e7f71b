"""Where an API is and how it speaks: addresses, signatures, answers, and what they mean."""

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
    system: str = "the system"
    """What it is called, for errors."""
    request: str = ""
    """What was asked, for errors: method and address, without a query."""

    def json(self) -> Any:
        """Return the body as JSON; raises RemoteError (trouble) where it is none."""
        import orjson

        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            from leadlight.connect.refusals import not_json

            raise not_json(self) from None

    def text(self) -> str:
        """Return the body as text, UTF-8; what is not becomes the replacement character."""
        return self.body.decode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Used:
    """How much of a quota is used up, as the system itself counts (for others' use too)."""

    used: int
    of: int
    until: datetime | None = None


class Sign(Protocol):
    """How requests are signed: see `auth` for bearer tokens, keys, basic, OAuth 2 with refresh, and sessions."""

    def headers(self, ask: Callable[..., Answer]) -> Mapping[str, str]:
        """Return the headers that sign a request; `ask` makes an unsigned request where a token has to be got first.

        `ask` takes what `Http.ask` takes.
        """
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
    """Other hosts that requests may go to (where to sign in); with the port, where it is not the usual one."""
    busy: Callable[[Answer], float | None] = lambda _: None
    """Seconds to wait where an answer that is no 429 or 503 says: too many requests."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Put on every request that is signed (`Accept`, a version of the API)."""
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Put into the query of every request that is signed (a key, where the vendor takes it nowhere else)."""
