"""Erase a person: from every table, and from the bytes of the file."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable
from leadlight.store.sql import Sql, fill

BY_LEAD = ("observations", "attributes", "events", "outcomes", "leads", "ids")
BY_ANY_KEY = ("scores", "grade_history")
BY_OWN_KEY = ("facts", "lookups")

BY_CALL = {
    "live_traits": Sql("list_contains(?::INTEGER[], _key)"),
    "outbox": Sql("list_contains(?::INTEGER[], _key)"),
    "live_links": Sql('list_contains(?::VARCHAR[], "user")'),
    "live_owners": Sql('list_contains(?::VARCHAR[], "user")'),
    "live_aliases": Sql('list_contains(?::VARCHAR[], "user")'),
    "live_refused": Sql("EXISTS (SELECT 1 FROM (SELECT unnest(?::VARCHAR[]) AS id) i WHERE contains(call, i.id))"),
}
"""Tables of the service beside the store's own → which of their rows are about a person (its keys, or its ids)."""


@dataclass(frozen=True, slots=True, repr=False)
class Erased(Readable):
    """Who was erased (all ids, also of merged duplicates), and how many rows of which table."""

    ids: tuple[str, ...]
    rows: Mapping[str, int]

    def __str__(self) -> str:
        return f"erased {', '.join(self.ids)}: {many(sum(self.rows.values()), 'row')}"

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {"ids": list(self.ids), "rows": dict(self.rows), "total": sum(self.rows.values())}


def erase(engine: Engine, id: str, *, now: datetime) -> Erased:  # noqa: A002 - the user's word
    """Remove a person everywhere: ids, attributes, all that sources and providers said, events, outcomes, scores.

    The store's file is then written anew, so that no byte is left in it. Salted SHA-256 hashes of the ids stay, so that
    reading the same files again does not bring the person back: whoever has the store can test a guessed id against
    them, and nothing more. The user's own files (and rejects files) are not touched. Raises NotFoundError.
    """
    found = engine.rows("SELECT lead FROM ids WHERE id = ?", [id])
    if not found:
        raise NotFoundError(f"there is nobody with the id {id!r} in the store")
    with engine.transaction():
        erased = _remove(engine, found[0][0], now)
    engine.rewrite()
    return erased


def _remove(engine: Engine, lead: int, now: datetime) -> Erased:
    people = engine.rows("SELECT id, key FROM ids WHERE lead = ? ORDER BY key", [lead])
    ids = tuple(str(own) for own, _ in people)
    keys = [key for _, key in people]
    _remember(engine, ids, now)
    rows = {table: _delete(engine, table, [lead]) for table in BY_LEAD}
    rows |= {table: _delete(engine, table, keys) for table in BY_ANY_KEY}
    rows |= {table: _delete(engine, table, keys, column="_key") for table in BY_OWN_KEY}
    _erase_calls(engine, keys, ids)
    engine.execute("UPDATE layout SET in_order = greatest(in_order - ?, 0) WHERE name = 'events'", [rows["events"]])
    return Erased(ids=ids, rows=rows)


def _erase_calls(engine: Engine, keys: list[int], ids: tuple[str, ...]) -> None:
    """Delete what the service keeps of a person's calls, where there is such a thing."""
    present = engine.tables()
    for table, condition in BY_CALL.items():
        if table in present:
            told = keys if "_key" in condition else list(ids)
            engine.execute(fill("DELETE FROM {table} WHERE {condition}", table=table, condition=condition), [told])


def _delete(engine: Engine, table: str, keys: list[int], *, column: str = "lead") -> int:
    where = fill("{table} WHERE list_contains(?::INTEGER[], {column})", table=table, column=column)
    count = int(engine.rows(fill("SELECT count(*) FROM {where}", where=where), [keys])[0][0])
    engine.execute(fill("DELETE FROM {where}", where=where), [keys])
    return count


def _remember(engine: Engine, ids: tuple[str, ...], now: datetime) -> None:
    """Keep hashes of the ids, all with the store's one salt."""
    found = engine.rows("SELECT any_value(salt) FROM erased")[0][0]
    salt = str(found) if found else secrets.token_hex(16)
    for own in ids:
        digest = hashlib.sha256((salt + own).encode()).hexdigest()
        engine.execute("INSERT INTO erased VALUES (?, ?, ?)", [salt, digest, now])
