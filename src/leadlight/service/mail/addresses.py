"""Who is known by an e-mail address only: the id `email:ann@acme.example` is whoever has that address.

Where somebody in the store has it, or ever had it, the id is one more of theirs, and nothing is said of them: mail sent
to an old address changes nobody's address back. That is a merge by `email` like others: it is noted, and can be undone.
Where nobody has it, the id is a new lead with that address, so that whoever comes with it later is found to be the same
by the store's own rule (`store.merge`); so it is, too, after such a merge was undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.store.apart import any_apart, regroup
from leadlight.store.merge import BY_ADDRESS, DEFAULT, mentions_by_key
from leadlight.store.moves import move_keys
from leadlight.store.rolled_up import first_events
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

_TOUCHED = fill(
    "FROM ids i WHERE i.lead IN (SELECT lead FROM touched) AND i.id LIKE {pattern}", pattern=literal(f"{BY_ADDRESS}%@%")
)

_LEFT = fill(
    "CREATE TEMP TABLE live_left AS SELECT i.key, lower(substr(i.id, {start})) AS address {touched} "
    "AND strpos(i.id, '\"') = 0 AND strpos(i.id, '\\') = 0 AND NOT EXISTS (SELECT 1 FROM observations o "
    "WHERE o.lead = i.lead AND lower(trim(o.email::VARCHAR)) = lower(substr(i.id, {start}))) "
    "AND (i.key IN (SELECT _key FROM live_traits) OR i.key IN (SELECT _said_of FROM ({first}) e))",
    first=first_events("_said_of", Sql("lead IN (SELECT lead FROM touched)")),
    start=Sql(str(len(BY_ADDRESS) + 1)),
    touched=_TOUCHED,
)


def settle_addresses(engine: Engine, merge_by: Mapping[str, str | None], *, at: datetime | None = None) -> None:
    """Let the ids in `live_calls` that are addresses, and new, be of who has the address; call it before all else.

    Those that nobody has get theirs as a trait. `merge_by` is as in `merge_duplicates`: a source whose leads do not
    merge by `email` has no say. `at` is the moment noted.
    """
    if not engine.rows(fill("SELECT 1 FROM live_calls WHERE _id LIKE {any} LIMIT 1", any=literal(f"{BY_ADDRESS}%@%"))):
        return
    engine.execute(_NEW)
    if engine.rows("SELECT 1 FROM live_new_addresses LIMIT 1"):
        if (holders := _holders(engine, merge_by)) is not None:
            _attach(engine, holders, merge_by, at)
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


def _attach(engine: Engine, holders: Sql, merge_by: Mapping[str, str | None], at: datetime | None) -> None:
    engine.execute(
        fill(
            "CREATE TEMP TABLE live_holders AS SELECT n.key, min(h.lead) AS lead FROM live_new_addresses n "
            "JOIN ({holders}) h ON h.address = n.address GROUP BY n.key",
            holders=holders,
        )
    )
    if any_apart(engine):
        found = engine.rows("SELECT key FROM live_holders UNION SELECT lead FROM live_holders ORDER BY 1")
        regroup(engine, [lead for (lead,) in found], mentions_by_key(engine, merge_by), at=at)
    else:
        move_keys(engine, fill("SELECT key, lead, {rule} AS rule FROM live_holders", rule=literal(ADDRESS)), at=at)
    engine.execute("DELETE FROM live_new_addresses WHERE key IN (SELECT key FROM ids WHERE lead <> key)")
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


def say_left(engine: Engine) -> list[int]:
    """Let ids that are addresses, and not any more of who has the address, have it: say so, of leads in `touched`.

    Returns their keys; what is in `live_traits` of them now is still to be told.
    """
    some = engine.rows(fill("SELECT 1 {touched} LIMIT 1", touched=_TOUCHED))
    if not some or ADDRESS not in engine.columns("observations"):
        return []
    engine.execute(_LEFT)
    left = [key for (key,) in engine.rows("SELECT key FROM live_left ORDER BY key")]
    if left:
        engine.execute(
            fill(
                "INSERT INTO live_traits SELECT l.key, NULL, least(t.\"at\", e.first), '', {name}, "
                "'\"' || l.address || '\"' FROM live_left l "
                'LEFT JOIN (SELECT _key, min("at") AS "at" FROM live_traits GROUP BY _key) t ON t._key = l.key '
                "LEFT JOIN ({first}) e ON e._said_of = l.key",
                name=literal(ADDRESS),
                first=first_events("_said_of", Sql("_said_of IN (SELECT key FROM live_left)")),
            )
        )
    engine.execute("DROP TABLE live_left")
    return left
