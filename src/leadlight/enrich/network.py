"""What providers may ask of the network: pages, APIs and DNS, through one guarded door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

MONTH = timedelta(days=30)
PAGE_LIMIT = 2_000_000
"""The most bytes of a body that are taken, decompressed."""


class Why(StrEnum):
    """Why a look-up failed."""

    NOT_PUBLIC = "not public"
    """The address is private, loopback, link-local, reserved or that of a metadata service."""
    NOT_ALLOWED = "not allowed"
    """robots.txt forbids it, or the address is no http or https one."""
    NO_SUCH_HOST = "no such host"
    UNREACHABLE = "unreachable"
    """Refused, reset, no answer in time, bad TLS, or nonsense in place of an answer."""
    TOO_LARGE = "too large"
    TOO_MANY_REDIRECTS = "too many redirects"
    RATE_LIMITED = "rate limited"
    """The host asked to come back later (`retry_at`)."""
    DENIED = "denied"
    """The key is missing, wrong or spent (401, 402, 403 of an API)."""
    BROKEN = "broken"
    """The host has an error of its own (5xx), or its answer cannot be read."""
    BUDGET = "budget"
    """The budget of requests is spent."""


class NetworkError(Exception):
    """A look-up that brought no answer; it costs one lead at most, and never ends a run."""

    def __init__(self, why: Why, message: str, *, retry_at: datetime | None = None) -> None:
        super().__init__(message)
        self.why = why
        self.message = message
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class Reply:
    """What a host answered, after redirects: any status but those that raise NetworkError."""

    url: str
    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes
    """Decompressed."""
    fetched_at: datetime
    """Naive UTC; of a cached answer, when it was fetched."""
    cached: bool = False

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def text(self) -> str:
        """Return the body as text, by the charset that is declared or found; never fails.

        The order is that of browsers: a byte order mark, the header, what the page says of itself; then UTF-8 if it is
        that, and else a guess. What cannot be read becomes U+FFFD.

        >>> Reply("", 200, {"content-type": "text/html; charset=latin-1"}, b"Z\\xfcrich", datetime(2026, 1, 1)).text()
        'Zürich'
        """
        from leadlight.enrich.net.charsets import text_of

        return text_of(self.body, self.headers.get("content-type"))

    def json(self) -> Any:
        """Return the body as JSON values; raises NetworkError (broken) where it is none.

        NaN and infinity are not JSON; halves of characters (lone surrogates) become U+FFFD.

        >>> Reply("", 200, {}, b'{"name": "Acme"}', datetime(2026, 1, 1)).json()
        {'name': 'Acme'}
        """
        from leadlight.enrich.net.charsets import json_of

        return json_of(self.body, self.url)


class Network(Protocol):
    """The guarded door. Answers come from the cache where they are there and fresh enough."""

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        ttl: timedelta = MONTH,
        limit: int = PAGE_LIMIT,
        crawl: bool = False,
    ) -> Reply:
        """Fetch an address.

        `headers` may hold secrets: they are no part of the cache's key and are never kept. `secrets` are parameters
        that are sent with the others, for the few APIs that take their key nowhere else, and are as little kept: they
        stand in no key, no `Reply.url` and no error. With `crawl`, robots.txt is
        honoured; APIs are asked without. Raises NetworkError for everything that is no answer: 401, 402, 403 (without
        `crawl`), 429 and 5xx included, after the retries that politeness allows. 404 and 410 are answers.
        """

    async def post(
        self, url: str, *, json: Any, headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None, ttl: timedelta = MONTH, limit: int = PAGE_LIMIT,
    ) -> Reply:  # fmt: skip
        """Send JSON to an API; the same body is not sent twice while its answer is fresh.

        `headers` and `secrets` (parameters of the address) are kept as little as those of `get`.
        """

    async def dns(self, name: str, kind: str, *, ttl: timedelta = MONTH) -> tuple[str, ...]:
        """Return the records of a kind (MX as "10 mx.example.com", TXT joined), none where the name has none.

        Names are made ASCII (IDNA). Raises NetworkError when the servers do not answer.
        """
