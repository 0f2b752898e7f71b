"""Who is known by an e-mail address only: the id `email:ann@acme.example` is whoever has that address.

Where somebody in the store has it, or ever had it, the id is one more of theirs, and nothing is said of them: mail sent
to an old address changes nobody's address back. Where nobody has it, the id is a new lead with that address, so that
whoever comes with it later is found to be the same by the store's own rule (`store.merge`).
"""

from __future__ import annotations

from collections.abc import Mapping

from leadlight.engines.base import Engine
from leadlight.store.merge import BY_ADDRESS, DEFAULT
from leadlight.store.speakers import SPEAKERS
from leadlight.store.sql import Sql, fill, joined, literal

ADDRESS = "email"
"""The attribute that holds it."""

_NEW = fill(
    "CREATE TEMP TABLE live_new_addresses AS SELECT i.key, i.id, lower(substr(i.id, {start})) AS address FROM ids i "
    "WHERE i.id IN (SELECT _id FROM live_calls WHERE _id LIKE {pattern}) AND i.lead = i.key "
    "AND strpos(i.id, '\"') = 0 AND strpos(i.id, '\\') = 0 "
    "AND NOT EXISTS (SELECT 1 FROM leads l WHERE l.lead = i.lead)",
    start=Sql(str(len(BY_ADDRESS) + 1)),
    pattern=literal(f"{BY_ADDRESS}%@%"),
)


def settle_addresses(engine: Engine, merge_by: Mapping[str, str | None]) -> None:
    """Let the ids in `live_calls` that are addresses, and new, be of who has the address; call it before all else.

    Those that nobody has get theirs as a trait. `merge_by` is as in `merge_duplicates`: a source whose leads do not
    merge by `email` has no say.
    """
    if not engine.rows(fill("SELECT 1 FROM live_calls WHERE _id LIKE {any} LIMIT 1", any=literal(f"{BY_ADDRESS}%@%"))):
        return
    engine.execute(_NEW)
    if engine.rows("SELECT 1 FROM live_new_addresses LIMIT 1"):
        if (holders := _holders(engine, merge_by)) is not None:
            _attach(engine, holders)
        _say(engine)
    engine.execute("DROP TABLE live_new_addresses")


def _holders(engine: Engine, merge_by: Mapping[str, str | None]) -> Sql | None:
    """Return the query of (lead, address) of all who were ever said to have one."""
    if ADDRESS not in engine.columns("observations"):
        return None
    sources = [source for (source,) in engine.rows("SELECT DISTINCT _source FROM observations")]
    telling = [one for one in sources if one not in SPEAKERS and merge_by.get(one, DEFAULT) == ADDRESS]
    if not telling:
        return None
    return fill(
        "SELECT lead, lower(trim({column}::VARCHAR)) AS address FROM observations WHERE _source IN ({sources})",
        column=ADDRESS,
        sources=joined([literal(one) for one in telling], ", "),
    )


def _attach(engine: Engine, holders: Sql) -> None:
    engine.execute(
        fill(
            "CREATE TEMP TABLE live_holders AS SELECT n.key, min(h.lead) AS lead FROM live_new_addresses n "
            "JOIN ({holders}) h ON h.address = n.address GROUP BY n.key",
            holders=holders,
        )
    )
    engine.execute("UPDATE ids SET lead = h.lead FROM live_holders h WHERE ids.key = h.key")
    engine.execute("DELETE FROM live_new_addresses WHERE key IN (SELECT key FROM live_holders)")
    engine.execute("DROP TABLE live_holders")


def _say(engine: Engine) -> None:
    """Let those that nobody has be said by the first call that names them."""
    engine.execute(
        fill(
            "INSERT INTO live_traits SELECT n.key, NULL, min(c.t), min(c.m), {name}, '\"' || n.address || '\"' "
            "FROM live_new_addresses n JOIN live_calls c ON c._id = n.id GROUP BY n.key, n.address",
            name=literal(ADDRESS),
        )
    )
    engine.execute("UPDATE live_calls SET said = TRUE WHERE _id IN (SELECT id FROM live_new_addresses)")
