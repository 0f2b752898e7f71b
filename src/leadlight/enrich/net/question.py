"""One thing to ask for, and what of it may be kept and shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from leadlight.enrich.net.addresses import Target
from leadlight.enrich.net.cache import key_of
from leadlight.enrich.network import MONTH, PAGE_LIMIT

SECRET_NAMES = frozenset({
    "api_key", "apikey", "api-key", "key", "token", "access_token", "auth", "secret", "client_secret", "password",
    "app_id", "app_key", "subscription-key", "user_key",
})  # fmt: skip
"""Parameters whose values are shown and kept as *** even where they were not declared secret."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask for, with all that belongs to it."""

    at: Target
    secrets: str = ""
    """Query parameters that are sent, and neither kept nor shown."""
    headers: tuple[tuple[str, str], ...] = ()
    """What the caller sends besides; only to the host it was meant for."""
    body: bytes | None = None
    ttl: timedelta = MONTH
    limit: int = PAGE_LIMIT
    crawl: bool = False
    every: float = 1.0
    together: int = 1
    spaced: bool = True
    """Whether it waits for the host's turn."""
    page: bool = True
    """Whether it is what was asked for, and not a robots.txt on the way there."""
    asker: str = ""
    strict: bool = True
    """Whether 401, 402 and 403 are failures."""
    cut: bool = False
    """Whether what is beyond the limit is left, and no failure."""

    def onward(self, at: Target) -> Question:
        """Go where a redirect leads; what was meant for one host is not told to another.

        On the same host it is still the same page, for which no further turn is waited.
        """
        onward = replace(self, at=at, spaced=self.page and at.host != self.at.host)
        return onward if at.origin == self.at.origin else replace(onward, headers=(), secrets="")

    @property
    def method(self) -> str:
        """GET, or POST where there is something to send."""
        return "GET" if self.body is None else "POST"

    @property
    def secret_path(self) -> str | None:
        """The path with its secrets, None where there are none."""
        return f"{self.at.path}{'&' if '?' in self.at.path else '?'}{self.secrets}" if self.secrets else None

    @property
    def key(self) -> bytes:
        """What makes it the same question."""
        return key_of(self.method, self.at.url, "" if self.body is None else self.body.decode(), str(self.crawl))

    @property
    def about(self) -> str:
        """What is asked, in clear, without secrets, so that it can be found and erased."""
        url = shown(self.at.url)
        return url if self.body is None else f"{url}\n{self.body.decode()}"


def shown(url: str) -> str:
    """Return an address without the values of parameters that look like secrets.

    >>> shown("https://api.example/v2?api_key=s3cret&domain=acme.example")
    'https://api.example/v2?api_key=***&domain=acme.example'
    """
    head, mark, query = url.partition("?")
    if not mark:
        return url
    parts = [part.partition("=") for part in query.split("&")]
    return f"{head}?" + "&".join(
        f"{name}=***" if name.lower() in SECRET_NAMES and value else f"{name}{sign}{value}"
        for name, sign, value in parts
    )
