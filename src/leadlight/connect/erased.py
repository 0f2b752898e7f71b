"""Who was erased stays out of the lake: salted hashes of the ids that a connection's records have."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from leadlight.connect.lake import FRESH

FILE = "erased.json"


@dataclass(frozen=True, slots=True)
class Erasures:
    """Hashes of ids of erased people, all with one salt."""

    salt: str
    hashes: frozenset[str]

    def hash(self, id: str) -> str:  # noqa: A002 - the user's word
        """Return an id's hash."""
        return hashlib.sha256((self.salt + id).encode()).hexdigest()

    def has(self, id: str | None) -> bool:  # noqa: A002
        """Say whether this is an id of somebody who was erased."""
        return bool(self.hashes) and id is not None and self.hash(id) in self.hashes


def erasures(folder: Path) -> Erasures:
    """Return who was erased of a connection."""
    try:
        held = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return Erasures(str(held["salt"]), frozenset(map(str, held["hashes"])))
    except FileNotFoundError:
        return Erasures(secrets.token_hex(16), frozenset())


def erase_ids(folder: Path, ids: Iterable[str]) -> None:
    """Note that people with these ids were erased."""
    known = erasures(folder)
    hashes = known.hashes | {known.hash(id) for id in ids}  # noqa: A001
    fresh = (folder / FILE).with_suffix(FRESH)
    fresh.write_text(json.dumps({"salt": known.salt, "hashes": sorted(hashes)}), encoding="utf-8")
    fresh.replace(folder / FILE)
