"""Signed links: whom a message went to and where a click leads, in an address that nobody else can make.

So a redirect leads only where whoever may manage the workspace wanted it to, and nobody can open or click for others.
What is in it can be read by who has it: an id, an address, a campaign; give no more than that.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeSerializer

from leadlight.service.call import Call, Value
from leadlight.service.mail.happening import CLICK, OPEN, agent_of

LONGEST = 2_048
"""Characters of an address that a click may lead to."""
LONGEST_TOKEN = 6_000
TOGETHER = 10
"""Seconds: hits of the same link within them are one. Mail programs and browsers often ask twice."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says: whose it is, of which message and campaign, and where a click leads (None for a pixel).

    >>> links = Links(b"secret")
    >>> token = links.sign(Link("crm-1", "https://acme.example/pricing", "spring"))
    >>> links.read(token)
    Link(user='crm-1', url='https://acme.example/pricing', campaign='spring', message=None)
    >>> Links(b"guess").read(token)
    """

    user: str
    url: str | None = None
    campaign: str | None = None
    message: str | None = None

    def call(self, token: str, now: datetime, user_agent: str) -> Call:
        """Return the open or click that a hit at this moment is."""
        told: dict[str, str | None] = {
            "provider": "leadlight", "url": self.url, "campaign": self.campaign, "message": self.message,
        }  # fmt: skip
        properties: dict[str, Value | None] = {name: value for name, value in told.items() if value}
        hit = int((now - datetime(1970, 1, 1)).total_seconds()) // TOGETHER  # noqa: DTZ001 - naive UTC
        mark = hashlib.sha256(token.encode()).hexdigest()[:32]
        event = OPEN if self.url is None else CLICK
        return Call(f"link:{mark}:{hit}", now, now, user_id=self.user, event=event, properties=properties,
                    agent=agent_of(user_agent))  # fmt: skip


class Links:
    """Signs links and reads them, by a secret of the workspace."""

    def __init__(self, secret: bytes) -> None:
        how = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._serializer = URLSafeSerializer(secret, salt="link", signer_kwargs=how)

    def sign(self, link: Link) -> str:
        """Return the link as a token that may stand in an address."""
        parts = {"u": link.user, "l": link.url, "c": link.campaign, "m": link.message}
        return str(self._serializer.dumps({name: value for name, value in parts.items() if value is not None}))

    def read(self, token: str) -> Link | None:
        """Return what a token says; None for one that was not made here."""
        if len(token) > LONGEST_TOKEN:
            return None
        try:
            said: dict[str, Any] = self._serializer.loads(token)
        except BadData:
            return None
        return Link(said["u"], said.get("l"), said.get("c"), said.get("m"))


def leads_out(url: str) -> bool:
    """Return whether an address is one that a click may lead to: of the web, whole, on one line.

    >>> leads_out("https://acme.example/a?b=c"), leads_out("javascript:alert(1)"), leads_out("//acme.example")
    (True, False, False)
    """
    if len(url) > LONGEST or not url.isascii() or any(c <= " " or c in "\\\x7f" for c in url):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
