"""Who is who: devices become users, former ids become new ones.

What happened on a device where nobody was signed in belongs to the user who was first seen with that device, by the
time of what happened there, not of arrival: so it is the same in whatever order calls come in. What was said with a
user's id belongs to that user, whatever the device. A former id (`alias`) is the user's for good, with all it has.

People with the same e-mail address are then one by the store's own `merge_duplicates`, which cannot be undone: the
store does not keep of which id an event was said. So where a device of several users said an e-mail address before any
of them signed in, and hears of them out of order, whom it joined by that address stays joined.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.service.call import ANONYMOUS
from leadlight.service.live_tables import LIVE
from leadlight.store.sql import Sql, fill, literal


def settle_devices(engine: Engine) -> bool:
    """Take in which users the calls in `live_calls` saw devices with; return whether anything moved.

    Makes `live_reowned`, the keys (numbers of ids) whose history of traits is another now: what was said on a device is
    its user's word. Notes who is `touched`. Call it before events and traits are loaded.
    """
    _note_links(engine)
    _gather_moving(engine)
    moved = bool(engine.rows("SELECT 1 FROM live_moving LIMIT 1"))
    if moved:
        _move_events(engine)
        engine.execute("UPDATE ids SET lead = m.new FROM live_moving m WHERE ids.key = m.key")
        engine.execute("INSERT INTO touched SELECT old FROM live_moving UNION SELECT new FROM live_moving")
    _hand_traits_over(engine)
    engine.execute("DROP TABLE live_moving")
    return moved or bool(engine.rows("SELECT 1 FROM live_reowned LIMIT 1"))


def _note_links(engine: Engine) -> None:
    """Note the first time each device was seen with each user, whose it is by that, and the aliases."""
    engine.execute(
        'CREATE TEMP TABLE live_pairs AS SELECT anonymous, "user", min("at") AS "at" FROM ('
        'SELECT a AS anonymous, u AS "user", t AS "at" FROM live_calls WHERE a IS NOT NULL AND u IS NOT NULL '
        "UNION ALL SELECT v, u, t FROM live_calls WHERE v IS NOT NULL AND u IS NOT NULL) GROUP BY ALL"
    )
    engine.execute(
        "DELETE FROM live_pairs p USING live_links l "
        'WHERE l.anonymous = p.anonymous AND l."user" = p."user" AND l."at" <= p."at"'
    )
    engine.execute("INSERT INTO live_links SELECT * FROM live_pairs")
    engine.execute(
        'CREATE TEMP TABLE live_owned AS SELECT n.*, o."user" AS before FROM ('
        'SELECT anonymous, arg_min("user", ("at", "user")) AS "user" FROM live_links '
        "WHERE anonymous IN (SELECT anonymous FROM live_pairs) GROUP BY anonymous) n "
        'LEFT JOIN live_owners o ON o.anonymous = n.anonymous WHERE o."user" IS DISTINCT FROM n."user"'
    )
    engine.execute("DELETE FROM live_owners WHERE anonymous IN (SELECT anonymous FROM live_owned)")
    engine.execute('INSERT INTO live_owners SELECT anonymous, "user" FROM live_owned')
    engine.execute("DROP TABLE live_pairs")
    engine.execute(
        "INSERT INTO live_aliases SELECT DISTINCT v, u FROM live_calls "
        "WHERE v IS NOT NULL AND u IS NOT NULL AND v <> u "
        'EXCEPT SELECT previous, "user" FROM live_aliases'
    )


def _gather_moving(engine: Engine) -> None:
    """Make `live_moving`: devices whose id is not yet that of their user's lead."""
    engine.execute(
        fill(
            "CREATE TEMP TABLE live_moving AS SELECT d.key, o.anonymous, d.lead AS old, u.lead AS new "
            'FROM live_owners o JOIN ids d ON d.id = {anonymous} || o.anonymous JOIN ids u ON u.id = o."user" '
            "WHERE d.lead <> u.lead AND o.anonymous IN "
            "(SELECT anonymous FROM live_owned UNION SELECT a FROM live_calls WHERE u IS NULL)",
            anonymous=literal(ANONYMOUS),
        )
    )


def _move_events(engine: Engine) -> None:
    if "anonymous_id" not in engine.columns("events"):
        return
    events = fill(
        "events.lead = m.old AND events.anonymous_id = m.anonymous AND events._source = {live}", live=literal(LIVE)
    )
    count = engine.rows(fill("SELECT count(*) FROM events, live_moving m WHERE {events}", events=events))[0][0]
    engine.execute(fill("UPDATE events SET lead = m.new FROM live_moving m WHERE {events}", events=events))
    _out_of_order(engine, int(count))


def _hand_traits_over(engine: Engine) -> None:
    """Take back what was observed of devices that have another owner now, and of both owners: it is made again."""
    engine.execute(
        fill(
            "CREATE TEMP TABLE live_reowned AS SELECT DISTINCT i.key FROM ids i JOIN (SELECT * FROM live_owned o "
            "WHERE EXISTS (SELECT 1 FROM live_traits t JOIN ids d ON d.key = t._key "
            "WHERE d.id = {anonymous} || o.anonymous)) o "
            'ON i.id = {anonymous} || o.anonymous OR i.id = o."user" OR i.id = o.before',
            anonymous=literal(ANONYMOUS),
        )
    )
    engine.execute("DROP TABLE live_owned")
    theirs = fill("_source = {live} AND _key IN (SELECT key FROM live_reowned)", live=literal(LIVE))
    engine.execute(fill("INSERT INTO touched SELECT DISTINCT lead FROM observations WHERE {theirs}", theirs=theirs))
    engine.execute(fill("DELETE FROM observations WHERE {theirs}", theirs=theirs))


def _out_of_order(engine: Engine, count: int) -> None:
    """Let the store know that so many events now lie among others' than their own."""
    if count:
        engine.execute("UPDATE layout SET in_order = greatest(in_order - ?, 0) WHERE name = 'events'", [count])


def join_aliases(engine: Engine) -> bool:
    """Let former ids be their users', where they are not yet; return whether anybody moved.

    Notes who is `touched`. Call it when the calls' own events and traits are loaded.
    """
    pairs = engine.rows(
        "SELECT DISTINCT p.lead, u.lead FROM live_aliases a JOIN ids p ON p.id = a.previous "
        'JOIN ids u ON u.id = a."user" WHERE p.lead <> u.lead AND (a.previous IN (SELECT _id FROM live_calls) '
        "OR a.previous IN (SELECT v FROM live_calls) "
        'OR a."user" IN (SELECT _id FROM live_calls)) ORDER BY 1, 2'
    )
    joined = [(lead, survivor) for lead, survivor in survivors(pairs).items() if lead != survivor]
    if not joined:
        return False
    leads, into = zip(*joined, strict=True)
    engine.register("_joining", pa.table({"lead": pa.array(leads, pa.int32()), "survivor": pa.array(into, pa.int32())}))
    try:
        count = engine.rows("SELECT count(*) FROM events WHERE lead IN (SELECT lead FROM _joining)")[0][0]
        for table in ("ids", "observations", "events", "outcomes"):
            engine.execute(
                fill("UPDATE {table} SET lead = m.survivor FROM _joining m WHERE {table}.lead = m.lead", table=table)
            )
        _out_of_order(engine, int(count))
        engine.execute(Sql("INSERT INTO touched SELECT lead FROM _joining UNION SELECT survivor FROM _joining"))
    finally:
        engine.unregister("_joining")
    return True


def survivors(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return for each lead of (lead, is the same as) pairs the one that all of its kin become.

    >>> survivors([(1, 2), (2, 3), (7, 8)])
    {2: 3, 1: 3, 3: 3, 8: 8, 7: 8}
    """
    above: dict[int, int] = {}

    def root(lead: int) -> int:
        while above.setdefault(lead, lead) != lead:
            above[lead] = above[above[lead]]
            lead = above[lead]
        return lead

    for lead, same in pairs:
        above[root(lead)] = root(same)
    return {lead: root(lead) for lead in above}
