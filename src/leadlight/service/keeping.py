"""Keys and the audit log from the command line, whether the service runs or not: it sees changes within seconds.

What is done here is audited as what is done over HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from leadlight.errors import LeadlightError
from leadlight.service.admission import OURS, open_admission
from leadlight.service.audit import FILE, Act, Audited, AuditFile, AuditLog, AuditTable, at_the_machine, audited
from leadlight.service.keys import GRACE, Key
from leadlight.spec.readable import Readable
from leadlight.store.open import POSTGRES
from leadlight.workspace import Workspace, utc_now


@dataclass(frozen=True, slots=True, repr=False)
class KeyList(Readable):
    """The keys of a workspace, and when each was last used."""

    keys: tuple[Key, ...]
    used: dict[str, str]
    at: datetime

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"keys": [{**key.as_dict(), "last_used_at": self.used.get(key.id)} for key in self.keys]}

    def __str__(self) -> str:
        if not self.keys:
            return "There are no keys yet: `leadlight serve` makes the first one, or `leadlight keys make NAME`."
        return "\n".join(f"{key.id}  {key.name:24}  {', '.join(key.scopes):22}  {self._told(key)}" for key in self.keys)

    def _told(self, key: Key) -> str:
        told = [f"used {self.used[key.id]}" if key.id in self.used else "never used"]
        if key.expires_at is not None:
            is_over = key.expires_at.removesuffix("Z") <= self.at.isoformat()
            told.append(f"{'expired' if is_over else 'expires'} {key.expires_at}")
        told += [f"{rate:g} {what} a second" for what, rate in key.rates.items()]
        return ", ".join(told)


@dataclass(frozen=True, slots=True, repr=False)
class KeyChanged(Readable):
    """A key that was made, renewed or revoked; the secret is shown this once."""

    done: str
    key: Key
    secret: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"done": self.done, **self.key.as_dict(), **({"key": self.secret} if self.secret else {})}

    def __str__(self) -> str:
        said = f"Key {self.key.name!r} ({self.key.id}) was {self.done}"
        if self.done == "renewed":
            said += f"; the secret it had is good until {self.key.old_until}"
        return said if self.secret is None else f"{said}. Shown this once: {self.secret}"


@dataclass(frozen=True, slots=True, repr=False)
class Link(Readable):
    """Where the admin's password is set, once."""

    path: str
    address: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"link": f"{self.address or ''}{self.path}"}

    def __str__(self) -> str:
        return f"Open this within a day, at the address of the service: {self.address or ''}{self.path}"


def all_keys(folder: Path) -> KeyList:
    """Return the keys."""
    with open_admission(folder, watch=False) as found:
        return KeyList(tuple(found.keys.all()), found.keys.last_used(), found.now())


def make_key(folder: Path, name: str, scopes: Sequence[str], *, expires: timedelta | None = None,
             requests: float | None = None, events: float | None = None) -> KeyChanged:  # fmt: skip
    """Make a key. Raises UsageError."""
    with open_admission(folder, watch=False) as found:
        secret, key = found.keys.make(name, scopes, expires=expires, requests=requests, events=events)
        found.audit.append(found.now(), Act(at_the_machine(), "leadlight keys make", key.id, "done"))
        return KeyChanged("made", key, secret)


def rotate_key(folder: Path, id: str, *, grace: timedelta | None = None) -> KeyChanged:  # noqa: A002 - the user's word
    """Give a key a new secret. Raises NotFoundError."""
    with open_admission(folder, watch=False) as found:
        secret, key = found.keys.rotate(id, grace=GRACE if grace is None else grace)
        found.audit.append(found.now(), Act(at_the_machine(), "leadlight keys rotate", key.id, "done"))
        return KeyChanged("renewed", key, secret)


def revoke_key(folder: Path, id: str) -> KeyChanged:  # noqa: A002 - the user's word
    """Take a key back. Raises NotFoundError."""
    with open_admission(folder, watch=False) as found:
        key = found.keys.revoke(id)
        found.audit.append(found.now(), Act(at_the_machine(), "leadlight keys revoke", key.id, "done"))
        return KeyChanged("revoked", key)


def login_link(folder: Path) -> Link:
    """Return where the admin's password can be set anew."""
    with open_admission(folder, watch=False) as found:
        link = Link(found.people.link(), found.spec.address)
        found.audit.append(found.now(), Act(at_the_machine(), "leadlight keys link", "", "done"))
        return link


def read_audit(folder: Path, *, limit: int = 50, seen: str | None = None) -> Audited:
    """Return the newest entries of the audit log, and whether it is whole. Raises StoreError."""
    with open_admission(folder, watch=False) as found:
        return audited(found.audit, limit=limit, seen=seen)


def note(folder: Path, verb: str, *, on: str = "") -> None:
    """Put a verb that has changed something into the audit log, where a service has begun one."""
    with suppress(LeadlightError):
        workspace = Workspace(folder)
        if not workspace.loaded.workspace.spec.store.startswith(POSTGRES):
            if (folder / OURS / FILE).exists():
                _note(AuditFile(folder / OURS / FILE), verb, on)
            return
        with workspace.store() as engine:
            if engine.columns("live_audit"):
                _note(AuditTable(engine), verb, on)


def _note(log: AuditLog, verb: str, on: str) -> None:
    log.append(utc_now(), Act(at_the_machine(), f"leadlight {verb}", on[:100], "done"))
