"""API keys: who may send, who may read, who may change. Only hashes are kept; a key is shown once, when it is made.

    browser  send calls as a page or an app does: safe to be seen by anybody
    ingest   send calls of all kinds, also `alias`, which joins two people: for servers
    read     scores, reasons, rankings; score what is given
    manage   make and revoke keys, change things, see the audit log

A key is 32 random bytes, so one SHA-256 is all its hash needs: there is nothing to guess. All keys are in memory; what
other processes change on the shelf is seen by `look`, which the service calls every second.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.errors import NotFoundError, StoreError, UsageError, did_you_mean
from leadlight.service.limits import Limits, Misses
from leadlight.service.shelf import Document, FileShelf, Shelf
from leadlight.workspace import utc_now

if TYPE_CHECKING:
    from leadlight.service.shared_limits import SharedLimits

SCOPES = ("browser", "ingest", "read", "manage")
ALL = ("ingest", "read", "manage")
"""What a key may that may do all: `ingest` is more than `browser`."""
IMPLIED: Mapping[str, tuple[str, ...]] = {"ingest": ("ingest", "browser"), "any": SCOPES}
"""What is asked → the scopes that allow it, where these are more than itself: a browser's key sends calls too, and the
route leaves out what it may not say."""
NEVER = datetime(9999, 12, 31)  # noqa: DTZ001 - naive UTC, as everywhere
"""When a key without an end ends."""
GRACE = timedelta(days=1)
"""For how long the old secret of a key that got a new one is still good, unless told."""
DOCUMENT, USE = "keys", "keys-used"
RATES = ("requests", "events")


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is kept; or whoever else asks: a person who is logged in, a machine with a token."""

    id: str
    name: str
    scopes: tuple[str, ...]
    hash: str
    created_at: str
    expires_at: str | None = None
    old_hash: str | None = None
    """The hash of the secret it had before, good until `old_until`."""
    old_until: str | None = None
    requests: float | None = None
    """How many requests it may send a second."""
    events: float | None = None
    """How many events it may send a second."""

    def may(self, scope: str) -> bool:
        """Say whether it may do what needs a scope."""
        return any(one in self.scopes for one in IMPLIED.get(scope, (scope,)))

    @property
    def rates(self) -> dict[str, float]:
        """Its limits, units a second."""
        told = {"requests": self.requests, "events": self.events}
        return {what: rate for what, rate in told.items() if rate is not None}

    def as_dict(self) -> dict[str, Any]:
        """Return what may be shown of it, as plain JSON values."""
        shown = asdict(self) | {"scopes": list(self.scopes)}
        return {name: value for name, value in shown.items() if name not in ("hash", "old_hash")}


class Keys:
    """The keys of a workspace, on a shelf.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keys = Keys(FileShelf(Path(folder)))
    ...     secret, key = keys.make("browser", ["browser"])
    ...     keys.find(secret) == key, keys.find("guess"), secret in (Path(folder) / "keys.json").read_text()
    (True, None, False)
    """

    def __init__(self, shelf: Shelf, *, now: Callable[[], datetime] = utc_now) -> None:
        """Read the keys. Raises StoreError where the shelf holds something else."""
        self.shelf, self.now = shelf, now
        self.limits, self.misses = Limits(), Misses()
        self.shared: SharedLimits | None = None
        """Counts instead where other processes let the same keys in."""
        self._used: dict[str, datetime] = {}
        self._version: object = None
        self._lock = threading.Lock()
        """Whoever takes over what is on the shelf holds it: nobody is to put older keys in their place."""
        self._known: dict[str, tuple[Key, datetime]] = {}
        self._all: list[Key] = []
        self.look()

    def look(self) -> bool:
        """Take over what was changed on the shelf; say whether anything was."""
        with self._lock:
            version = self.shelf.version(DOCUMENT)
            if version == self._version and version is not None:
                return False
            self._take(self.shelf.read(DOCUMENT))
            self._version = version
            return True

    def _take(self, document: Document) -> None:
        self._all = _read(document)
        known: dict[str, tuple[Key, datetime]] = {}
        for key in self._all:
            ends = _moment(key.expires_at)
            known[key.hash] = (key, ends)
            if key.old_hash is not None:
                known[key.old_hash] = (key, min(ends, _moment(key.old_until)))
        self._known = known

    def all(self) -> list[Key]:
        """Return the keys in the order in which they were made, also those that have expired."""
        return list(self._all)

    def find(self, secret: str) -> Key | None:
        """Return the key behind a secret that is good now."""
        found = self._known.get(_hash(secret))
        if found is None:
            return None
        key, until = found
        now = self.now()
        if now >= until:
            return None
        self._used[key.id] = now
        return key

    def make(self, name: str, scopes: Iterable[str], *, at: datetime | None = None, expires: timedelta | None = None,
             requests: float | None = None, events: float | None = None) -> tuple[str, Key]:  # fmt: skip
        """Make a key; return its secret, which is kept nowhere, and what is kept.

        `expires` is after how long it is none any more; `requests` and `events` how many a second it may send. Raises
        UsageError for scopes there are not, and rates that are none.
        """
        asked = tuple(dict.fromkeys(scopes))
        unknown = [scope for scope in asked if scope not in SCOPES]
        if unknown or not asked:
            raise UsageError(f"no scope {unknown[0]!r}: {did_you_mean(unknown[0], SCOPES)}" if unknown
                             else f"a key needs scopes, of {', '.join(SCOPES)}")  # fmt: skip
        for what, rate in (("requests", requests), ("events", events)):
            if rate is not None and not 0.001 <= rate <= 1e9:
                raise UsageError(f"{what} is how many a second, from 0.001; not {rate!r}")
        secret, hashed = _new_secret()
        made = self.now() if at is None else at
        ends = _text(_later(made, expires)) if expires else None
        key = Key(secrets.token_hex(4), name[:100], asked, hashed, _text(made), ends, requests=requests, events=events)
        self._change(lambda keys: [*keys, key])
        return secret, key

    def make_first(self, name: str, scopes: Iterable[str]) -> str | None:
        """Make a key where there is none at all, also where other processes start now; None where there is one."""
        secret, hashed = _new_secret()
        key = Key(secrets.token_hex(4), name, tuple(scopes), hashed, _text(self.now()))
        self._change(lambda keys: keys or [key])
        return secret if self._all[0].hash == hashed else None

    def rotate(self, id: str, *, grace: timedelta = GRACE) -> tuple[str, Key]:  # noqa: A002 - the user's word
        """Give a key a new secret; the old one is good for a while yet. Return the new one and what is kept.

        Raises NotFoundError.
        """
        secret, hashed = _new_secret()
        until = _text(_later(self.now(), grace))

        def fresh(keys: list[Key]) -> list[Key]:
            return [
                replace(key, hash=hashed, old_hash=key.hash, old_until=until) if key.id == id else key
                for key in _with(keys, id)
            ]

        self._change(fresh)
        return secret, next(key for key in self._all if key.id == id)

    def revoke(self, id: str) -> Key:  # noqa: A002 - the user's word
        """Take a key back, at once.

        Raises NotFoundError.
        """
        found: list[Key] = []

        def without(keys: list[Key]) -> list[Key]:
            found[:] = [key for key in _with(keys, id) if key.id == id]
            return [key for key in keys if key.id != id]

        self._change(without)
        return found[0]

    def _change(self, change: Callable[[list[Key]], list[Key]]) -> None:
        with self._lock:  # another process may have changed them since: `look` sees so, as `_version` is the one before
            self._take(self.shelf.change(DOCUMENT, lambda found: [asdict(key) for key in change(_read(found))]))

    def last_used(self) -> dict[str, str]:
        """Return when each key was last used, by id; other processes tell it every half a minute."""
        told = _times(self.shelf.read(USE))
        return told | {id: max(_text(at), told.get(id, "")) for id, at in dict(self._used).items()}  # noqa: A001

    def note_use(self) -> None:
        """Put on the shelf when keys were used."""
        if not self._used:
            return
        used, self._used = self._used, {}
        alive = {key.id for key in self._all}

        def merged(found: Document) -> Document:
            told = _times(found)
            told |= {id: max(_text(at), told.get(id, "")) for id, at in used.items()}  # noqa: A001
            return {id: at for id, at in told.items() if id in alive}  # noqa: A001

        self.shelf.change(USE, merged)


def file_keys(folder: Path) -> Keys:
    """Return the keys of an embedded workspace, by its `.leadlight`."""
    return Keys(FileShelf(folder))


def _read(document: Document) -> list[Key]:
    """Return the keys of a document; those of a Leadlight before this one have fewer fields."""
    try:
        return [Key(**{**one, "scopes": tuple(one["scopes"])}) for one in document or []]
    except (TypeError, KeyError):
        raise StoreError(
            "keys.json holds no keys", fix="Put it back from a backup, or delete it: `leadlight serve` makes a new one."
        ) from None


def _with(keys: list[Key], id: str) -> list[Key]:  # noqa: A002 - the user's word
    if all(key.id != id for key in keys):
        raise NotFoundError(f"there is no key {id!r}", fix="`leadlight keys` lists them, each with its id.")
    return keys


def _times(document: Document) -> dict[str, str]:
    return dict(document) if isinstance(document, dict) else {}


def _new_secret() -> tuple[str, str]:
    secret = "ll_" + secrets.token_urlsafe(32)
    return secret, _hash(secret)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds") + "Z"


def _moment(text: str | None) -> datetime:
    return NEVER if text is None else datetime.fromisoformat(text.removesuffix("Z"))


def _later(at: datetime, by: timedelta) -> datetime:
    """Return a moment later, the last there is where there is none."""
    try:
        return at + by
    except OverflowError:
        return NEVER


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
