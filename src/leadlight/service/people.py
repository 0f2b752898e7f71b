"""People who log in with a password, where no issuer knows them: the first one is who was shown a link at the start.

Passwords are kept as scrypt's hash of them (RFC 7914; N = 2^15, r = 8, p = 1: 32 MB and a tenth of a second each).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from leadlight.errors import StoreError, UsageError
from leadlight.service.keys import Key
from leadlight.service.shelf import Document, Shelf

DOCUMENT = "people"
ADMIN = "admin"
SHORTEST, LONGEST = 12, 200
"""Characters of a password (NIST SP 800-63B: length counts, kinds of characters do not)."""
LINK_LASTS = timedelta(days=1)
COST = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 1024 * 1024}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may log in, as they are kept; `version` is another with every password."""

    name: str
    scopes: tuple[str, ...]
    salt: str
    hash: str
    version: str

    @property
    def key(self) -> Key:
        """Who they are to a route."""
        return Key(f"person:{self.name}", self.name, self.scopes, "", "")


class People:
    """The people of a workspace."""

    def __init__(self, shelf: Shelf, *, now: Callable[[], datetime]) -> None:
        self.shelf, self.now = shelf, now
        self._one_at_a_time = threading.Lock()
        self._version: object = None
        self._people: dict[str, Person] = {}
        self.look()

    def look(self) -> None:
        """Take over who was added elsewhere."""
        version = self.shelf.version(DOCUMENT)
        if version != self._version:
            self._people = _read(self.shelf.read(DOCUMENT))
            self._version = version

    @property
    def any(self) -> bool:
        """Whether somebody can log in with a password."""
        return bool(self._people)

    def version(self, name: str) -> str | None:
        """Return which password somebody has; None where there is nobody of that name."""
        found = self._people.get(name)
        return None if found is None else found.version

    def link(self) -> str:
        """Return the path of a page, good once and for a day, where the admin's password is set; former ones end."""
        token = secrets.token_urlsafe(32)
        until = (self.now() + LINK_LASTS).isoformat()

        def linked(found: Document) -> Document:
            return {**(found or {"people": []}), "link": {"hash": _plain_hash(token), "until": until}}

        self.shelf.change(DOCUMENT, linked)
        return f"/login/first?token={token}"

    def is_link(self, token: str) -> bool:
        """Say whether a link's token is good."""
        return self._good(self.shelf.read(DOCUMENT), token)

    def _good(self, found: Document, token: str) -> bool:
        link = (found or {}).get("link")
        if link is None or self.now() >= datetime.fromisoformat(link["until"]):
            return False
        return hmac.compare_digest(link["hash"], _plain_hash(token))

    def set_by_link(self, token: str, password: str) -> Person | None:
        """Set the admin's password; None where the link is not good (any more).

        Raises UsageError for a password that is too short.
        """
        if not SHORTEST <= len(password) <= LONGEST:
            raise UsageError(f"a password has {SHORTEST} to {LONGEST} characters; a few words make a good one")
        salt = secrets.token_bytes(16)
        hashed = self._hashed(password, salt)
        admin = Person(ADMIN, ("read", "manage"), salt.hex(), hashed, secrets.token_hex(4))
        done: list[Person] = []

        def with_admin(found: Document) -> Document:
            if not self._good(found, token):
                return found or {"people": []}
            done.append(admin)
            others = [one for one in found["people"] if one["name"] != ADMIN]
            return {"people": [*others, asdict(admin)]}

        self._people = _read(self.shelf.change(DOCUMENT, with_admin))
        return done[0] if done else None

    def who(self, name: str, password: str) -> Person | None:
        """Return who has this name and password. It takes as long where there is nobody of that name."""
        found = self._people.get(name)
        salt = bytes.fromhex(found.salt) if found else bytes(16)
        hashed = self._hashed(password[:LONGEST], salt)
        return found if found is not None and hmac.compare_digest(hashed, found.hash) else None

    def _hashed(self, password: str, salt: bytes) -> str:
        with self._one_at_a_time:  # 32 MB each
            return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, **COST).hex()


def _read(document: Document) -> dict[str, Person]:
    try:
        people = [Person(**{**one, "scopes": tuple(one["scopes"])}) for one in (document or {"people": []})["people"]]
    except (TypeError, KeyError):
        raise StoreError("people.json holds no people", fix="Put it back from a backup, or delete it.") from None
    return {person.name: person for person in people}


def _plain_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
