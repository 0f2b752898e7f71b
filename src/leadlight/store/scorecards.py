"""Every scorecard that was ever used, version by version, with its content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, did_you_mean

SHORTEST_VERSION = 4


@dataclass(frozen=True, slots=True)
class StoredScorecard:
    """A version of a scorecard: its canonical JSON, and since when it is the one in use."""

    name: str
    version: str
    content: str
    published_at: datetime


def publish(engine: Engine, *, name: str, version: str, content: str, published_at: datetime) -> bool:
    """Make this version the scorecard's latest; false when it is that already."""
    last = latest(engine, name)
    if last is not None and last.version == version:
        return False
    engine.execute("INSERT INTO scorecards VALUES (?, ?, ?, ?)", [name, version, content, published_at])
    return True


def latest(engine: Engine, name: str, *, as_of: datetime | None = None) -> StoredScorecard | None:
    """Return the version in use (as of a moment); None where the scorecard was not yet published."""
    found = engine.rows(
        "SELECT name, version, content, published_at FROM scorecards WHERE name = ? "
        "AND (?::TIMESTAMP IS NULL OR published_at <= ?) ORDER BY published_at DESC, rowid DESC LIMIT 1",
        [name, as_of, as_of],
    )
    return StoredScorecard(*found[0]) if found else None


def is_in_use(engine: Engine, name: str, version: str, *, as_of: datetime | None = None) -> bool:
    """Return whether a version is the one in use, now or as of a moment.

    Its grades are then continued from the history of grades; those of another version begin anew.
    """
    # One question for both; rows of one moment are told apart by their place.
    found = engine.rows(
        "SELECT arg_max(version, (published_at, rowid)), arg_max(version, (published_at, rowid)) "
        "FILTER (WHERE ?::TIMESTAMP IS NULL OR published_at <= ?) FROM scorecards WHERE name = ?",
        [as_of, as_of, name],
    )
    return version in found[0]


def get_version(engine: Engine, name: str, version: str) -> StoredScorecard:
    """Return a version by its hash, or by the beginning of it (at least four characters).

    Raises NotFoundError, naming the versions there are.
    """
    found: list[tuple[Any, ...]] = engine.rows(
        "SELECT name, version, content, max(published_at) FROM scorecards WHERE name = ? AND starts_with(version, ?) "
        "GROUP BY ALL",
        [name, version],
    )
    if len(found) == 1 and len(version) >= SHORTEST_VERSION:
        return StoredScorecard(*found[0])
    versions = [stored.version for stored in history(engine, name)]
    raise NotFoundError(f"scorecard {name!r} has no version {version!r}: {did_you_mean(version, versions)}")


def history(engine: Engine, name: str) -> list[StoredScorecard]:
    """Return all versions of a scorecard in the order in which they were published."""
    found = engine.rows(
        "SELECT name, version, content, published_at FROM scorecards WHERE name = ? ORDER BY published_at, rowid",
        [name],
    )
    return [StoredScorecard(*row) for row in found]
