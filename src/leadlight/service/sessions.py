"""Sessions of people who are logged in: a signed cookie says who they are, until when; logging out ends it everywhere.

The cookie's name has the workspace in it, so that services on several ports of one machine do not meet; its signature
is by a secret of this workspace alone, so that a session of another is nothing here.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from calendar import timegm
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from leadlight.service.keys import Key
from leadlight.service.shelf import Document, Shelf

DOCUMENT = "sessions"
LASTS = timedelta(hours=8)
MAX_COOKIE = 4096


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged in. `proof` is what their form and their scripts show with every change."""

    id: str
    person: Key
    until: int
    version: str
    """Which password of theirs it was made with; "" where an issuer knows them."""
    proof: str


class Sessions:
    """The sessions of a workspace."""

    def __init__(self, shelf: Shelf, *, now: Callable[[], datetime]) -> None:
        self.shelf, self.now = shelf, now
        self._version: object = None
        self._ended: dict[str, int] = {}
        self._secret, self.cookie = b"", ""
        self.look()
        if not self._secret:
            self._take(shelf.change(DOCUMENT, lambda found: found or {"secret": secrets.token_hex(32), "ended": {}}))

    def look(self) -> None:
        """Take over which sessions were ended elsewhere."""
        version = self.shelf.version(DOCUMENT)
        if version is not None and version != self._version:
            self._take(self.shelf.read(DOCUMENT))
            self._version = version

    def _take(self, document: Document) -> None:
        self._secret, self._ended = bytes.fromhex(document["secret"]), dict(document["ended"])
        self.cookie = f"leadlight_{self.derived('name').hex()[:8]}"

    def derived(self, purpose: str) -> bytes:
        """Return a key of this workspace for a purpose."""
        return hmac.digest(self._secret, purpose.encode(), hashlib.sha256)

    def _signed(self, purpose: str) -> URLSafeSerializer:
        how = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return URLSafeSerializer(self.derived(purpose), salt=purpose, signer_kwargs=how)

    def start(self, person: Key, *, version: str = "") -> str:
        """Return the cookie of somebody who has just logged in."""
        content = {"i": secrets.token_hex(8), "p": person.id, "n": person.name, "s": list(person.scopes),
                   "u": self._seconds() + int(LASTS.total_seconds()), "v": version}  # fmt: skip
        return str(self._signed("session").dumps(content))

    def read(self, cookie: str) -> Session | None:
        """Return the session of a cookie; None where it is none, has ended or was made elsewhere."""
        content = self._unsigned("session", cookie)
        if content is None or content["u"] <= self._seconds() or content["i"] in self._ended:
            return None
        person = Key(content["p"], content["n"], tuple(content["s"]), "", "")
        proof = hmac.digest(self.derived("proof"), content["i"].encode(), hashlib.sha256).hex()
        return Session(content["i"], person, content["u"], content["v"], proof)

    def end(self, session: Session) -> None:
        """End a session, wherever its cookie is shown afterwards."""
        now = self._seconds()

        def ended(found: Document) -> Document:
            left = {one: until for one, until in found["ended"].items() if until > now}
            return {**found, "ended": {**left, session.id: session.until}}

        self._take(self.shelf.change(DOCUMENT, ended))

    def seal(self, purpose: str, content: dict[str, Any]) -> str:
        """Return something that this workspace alone can have signed, for a purpose, for ten minutes."""
        return str(self._signed(purpose).dumps({**content, "u": self._seconds() + 600}))

    def unseal(self, purpose: str, text: str) -> dict[str, Any] | None:
        """Return what was sealed; None where it was not, or too long ago."""
        content = self._unsigned(purpose, text)
        return None if content is None or content["u"] <= self._seconds() else content

    def _unsigned(self, purpose: str, text: str) -> dict[str, Any] | None:
        if len(text) > MAX_COOKIE:
            return None
        try:
            found: dict[str, Any] = self._signed(purpose).loads(text)
        except BadSignature:
            return None
        return found

    def _seconds(self) -> int:
        return timegm(self.now().timetuple())
