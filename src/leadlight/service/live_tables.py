"""What the service keeps in the store beside the store's own tables, in the same transactions.

live_positions   up to which call of a journal everything is in the store
live_traits      what each call said of a person or an account, value by value: calls tell only what is new, and
                 one that comes late belongs before others
live_links       which user a device (an anonymous id) was first seen with, and when
live_aliases     which former id is a user's too
live_refused     calls that could not be stored, with the reason; nothing is lost by them
"""

from __future__ import annotations

from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.service import clock

LIVE = "live"
"""The source that calls are, in observations, events and names."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS live_positions (journal VARCHAR NOT NULL, position BIGINT NOT NULL)",
    'CREATE TABLE IF NOT EXISTS live_traits (_key INTEGER, account VARCHAR, "at" TIMESTAMP NOT NULL, '
    "message VARCHAR NOT NULL, name VARCHAR NOT NULL, value VARCHAR NOT NULL)",
    'CREATE TABLE IF NOT EXISTS live_links (anonymous VARCHAR NOT NULL, "user" VARCHAR NOT NULL, '
    '"at" TIMESTAMP NOT NULL)',
    'CREATE TABLE IF NOT EXISTS live_owners (anonymous VARCHAR NOT NULL, "user" VARCHAR NOT NULL)',
    'CREATE TABLE IF NOT EXISTS live_aliases (previous VARCHAR NOT NULL, "user" VARCHAR NOT NULL)',
    "CREATE TABLE IF NOT EXISTS live_unscored (lead INTEGER, account VARCHAR)",
    'CREATE TABLE IF NOT EXISTS live_refused ("at" TIMESTAMP NOT NULL, call VARCHAR NOT NULL, reason VARCHAR NOT NULL)',
)

_UNNOTED = (
    "INSERT INTO merges SELECT (SELECT coalesce(max(merge), 0) FROM merges) + row_number() OVER (ORDER BY i.key), "
    "now()::TIMESTAMP, 'email', NULL, i.key, i.key, i.lead, NULL FROM ids i WHERE i.id LIKE 'email:%@%' "
    "AND i.key <> i.lead AND i.key NOT IN (SELECT key FROM merges)"
)
"""Ids that are addresses became those of who has the address without a note of it, in stores from before."""

OF_THE_ERASED = (
    "DELETE FROM live_traits WHERE _key IS NOT NULL AND _key NOT IN (SELECT key FROM ids)",
    'DELETE FROM live_links WHERE "user" NOT IN (SELECT id FROM ids)',
    'DELETE FROM live_owners WHERE "user" NOT IN (SELECT id FROM ids)',
    'DELETE FROM live_aliases WHERE "user" NOT IN (SELECT id FROM ids)',
)


def prepare(engine: Engine) -> None:
    """Make the tables where they are absent, and take out what they say of people who were erased since."""
    with engine.transaction():
        for statement in (*TABLES, *clock.TABLES, *OF_THE_ERASED, _UNNOTED):
            engine.execute(statement)


def position(engine: Engine, journal: str) -> int:
    """Return up to which position of a journal everything is in the store."""
    found = engine.rows("SELECT max(position) FROM live_positions WHERE journal = ?", [journal])
    return int(found[0][0] or 0)


def keep_position(engine: Engine, journal: str, at: int) -> None:
    """Note the position; call it in the transaction that stores the calls."""
    engine.execute("DELETE FROM live_positions WHERE journal = ?", [journal])
    engine.execute("INSERT INTO live_positions VALUES (?, ?)", [journal, at])


def refuse(engine: Engine, at: datetime, call: str, reason: str) -> None:
    """Put a call aside that cannot be stored."""
    engine.execute("INSERT INTO live_refused VALUES (?, ?, ?)", [at, call, reason])
