"""API keys: who may send, who may read, who may change. Only hashes are kept; a key is shown once, when it is made.

    ingest   send calls: for browsers and clients, safe to be seen by anybody
    read     scores, reasons, rankings; score what is given
    manage   make and revoke keys

A key is 32 random bytes, so one SHA-256 is all its hash needs: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from leadlight.errors import NotFoundError, StoreError, UsageError, did_you_mean

SCOPES = ("ingest", "read", "manage")


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is kept."""

    id: str
    name: str
    scopes: tuple[str, ...]
    hash: str
    created_at: str

    def as_dict(self) -> dict[str, Any]:
        """Return what may be shown of it, as plain JSON values."""
        return {"id": self.id, "name": self.name, "scopes": list(self.scopes), "created_at": self.created_at}


class Keys:
    """The keys of a workspace, in a file that only its owner may read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keys = Keys(Path(folder) / "keys.json")
    ...     secret, key = keys.make("browser", ["ingest"], at=datetime(2026, 1, 31))
    ...     keys.find(secret) == key, keys.find("guess"), secret in (Path(folder) / "keys.json").read_text()
    (True, None, False)
    """

    def __init__(self, path: Path) -> None:
        """Read the file, where there is one.

        Raises StoreError for a file that holds something else.
        """
        self.path, self._lock = path, Lock()
        self._keys: dict[str, Key] = {}
        if path.exists():
            try:
                kept = json.loads(path.read_text(encoding="utf-8"))
                self._keys = {one["hash"]: Key(**{**one, "scopes": tuple(one["scopes"])}) for one in kept}
            except (ValueError, TypeError, KeyError, OSError):
                raise StoreError(f"{path} holds no keys", fix="Delete it: `leadlight serve` makes a new one.") from None

    def all(self) -> list[Key]:
        """Return the keys in the order in which they were made."""
        return list(self._keys.values())

    def find(self, secret: str) -> Key | None:
        """Return the key behind a secret."""
        return self._keys.get(_hash(secret))

    def make(self, name: str, scopes: Iterable[str], *, at: datetime) -> tuple[str, Key]:
        """Make a key; return its secret, which is kept nowhere, and what is kept.

        Raises UsageError for scopes there are not.
        """
        asked = tuple(dict.fromkeys(scopes))
        unknown = [scope for scope in asked if scope not in SCOPES]
        if unknown or not asked:
            raise UsageError(f"no scope {unknown[0]!r}: {did_you_mean(unknown[0], SCOPES)}" if unknown
                             else f"a key needs scopes, of {', '.join(SCOPES)}")  # fmt: skip
        secret = "ll_" + secrets.token_urlsafe(32)
        key = Key(secrets.token_hex(4), name[:100], asked, _hash(secret), at.isoformat() + "Z")
        with self._lock:
            self._write({**self._keys, key.hash: key})
        return secret, key

    def revoke(self, id: str) -> Key:  # noqa: A002 - the user's word
        """Take a key back, at once.

        Raises NotFoundError.
        """
        with self._lock:
            found = next((key for key in self._keys.values() if key.id == id), None)
            if found is None:
                raise NotFoundError(f"there is no key {id!r}")
            self._write({hashed: key for hashed, key in self._keys.items() if key.id != id})
        return found

    def _write(self, keys: dict[str, Key]) -> None:
        """Write all keys beside the file, then put it in its place."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump([asdict(key) for key in keys.values()], file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        self._keys = keys


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
