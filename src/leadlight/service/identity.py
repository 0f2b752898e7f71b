"""Who is who: devices become users, former ids become new ones.

What happened on a device where nobody was signed in belongs to the user who was first seen with that device, by the
time of what happened there, not of arrival: so it is the same in whatever order calls come in. What was said with a
user's id belongs to that user, whatever the device. A former id (`alias`) is the user's for good, with all it has.

People with the same e-mail address are then one by the store's own `merge_duplicates`. All of it moves ids, and
what was said of them goes along (`store.moves`); who is kept apart (`store.apart`) is joined by none of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.service.call import ANONYMOUS
from leadlight.service.live_tables import LIVE
from leadlight.store.apart import any_apart, regroup
from leadlight.store.merge import mentions_by_key
from leadlight.store.moves import move_keys
from leadlight.store.owners import first_users
from leadlight.store.sql import Sql, fill, literal


def settle_devices(engine: Engine, *, at: datetime | None = None) -> bool:
    """Take in which users the calls in `live_calls` saw devices with; return whether anything moved.

    Makes `live_reowned`, the keys (numbers of ids) whose history of traits is another now: what was said on a device is
    its user's word. Notes who is `touched`. Call it before events and traits are loaded. `at` is the moment noted.
    """
    if not engine.rows("SELECT 1 FROM live_calls WHERE a IS NOT NULL OR v IS NOT NULL LIMIT 1"):
        engine.execute("CREATE TEMP TABLE live_reowned (key INTEGER)")  # no device is spoken of: nothing can move
        return False
    apart = any_apart(engine)
    _note_links(engine, apart=apart)
    _gather_moving(engine)
    moved = bool(engine.rows("SELECT 1 FROM live_moving LIMIT 1"))
    if moved:
        move_keys(engine, Sql("SELECT key, new AS lead, 'device' AS rule FROM live_moving"), at=at)
    if apart:
        _forget_barred(engine)
    hand_words_over(engine)
    engine.execute("DROP TABLE live_owned")
    engine.execute("DROP TABLE live_moving")
    return moved or bool(engine.rows("SELECT 1 FROM live_reowned LIMIT 1"))


def _note_links(engine: Engine, *, apart: bool) -> None:
    """Note the first time each device was seen with each user, whose it is by that, and the aliases.

    Makes `live_owned`, the devices that are another's than `before`; where some are kept `apart`, or nobody's.
    """
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
        fill(
            'CREATE TEMP TABLE live_owned AS SELECT p.anonymous, n."user", o."user" AS before '
            "FROM (SELECT DISTINCT anonymous FROM live_pairs) p LEFT JOIN ({first}) n ON n.anonymous = p.anonymous "
            'LEFT JOIN live_owners o ON o.anonymous = p.anonymous WHERE o."user" IS DISTINCT FROM n."user"',
            first=first_users(Sql("l.anonymous IN (SELECT anonymous FROM live_pairs)"), apart=apart),
        )
    )
    note_owners(engine)
    engine.execute("DROP TABLE live_pairs")
    engine.execute(
        "INSERT INTO live_aliases SELECT DISTINCT v, u FROM live_calls "
        "WHERE v IS NOT NULL AND u IS NOT NULL AND v <> u "
        'EXCEPT SELECT previous, "user" FROM live_aliases'
    )


def note_owners(engine: Engine) -> None:
    """Note whose the devices in `live_owned` are."""
    engine.execute("DELETE FROM live_owners WHERE anonymous IN (SELECT anonymous FROM live_owned)")
    engine.execute('INSERT INTO live_owners SELECT anonymous, "user" FROM live_owned WHERE "user" IS NOT NULL')


def _forget_barred(engine: Engine) -> None:
    """Let devices be nobody's that may not be one with their user, because others of the user's ids are kept apart."""
    engine.execute(
        fill(
            "DELETE FROM live_owners o USING live_owned n, ids d, ids u WHERE o.anonymous = n.anonymous "
            'AND d.id = {anonymous} || o.anonymous AND u.id = o."user" AND d.lead <> u.lead',
            anonymous=literal(ANONYMOUS),
        )
    )


def _gather_moving(engine: Engine) -> None:
    """Make `live_moving`: devices whose id is not yet that of their user's lead."""
    engine.execute(
        fill(
            "CREATE TEMP TABLE live_moving AS SELECT d.key, o.anonymous, d.lead AS old, u.lead AS new "
            'FROM live_owners o JOIN ids d ON d.id = {anonymous} || o.anonymous JOIN ids u ON u.id = o."user" '
            "WHERE d.lead <> u.lead AND o.anonymous IN "
            "(SELECT anonymous FROM live_owned UNION SELECT a FROM live_calls WHERE u IS NULL) "
            "AND NOT EXISTS (SELECT 1 FROM apart p JOIN ids k ON k.lead = u.lead "
            "WHERE (p.a = d.key AND p.b = k.key) OR (p.b = d.key AND p.a = k.key))",
            anonymous=literal(ANONYMOUS),
        )
    )


def hand_words_over(engine: Engine) -> None:
    """Take back what was observed of devices that have another owner now, and of both owners: it is made again.

    Makes `live_reowned`, their keys, of the devices in `live_owned`.
    """
    engine.execute(
        fill(
            "CREATE TEMP TABLE live_reowned AS SELECT DISTINCT i.key FROM ids i JOIN (SELECT * FROM live_owned o "
            "WHERE EXISTS (SELECT 1 FROM live_traits t JOIN ids d ON d.key = t._key "
            "WHERE d.id = {anonymous} || o.anonymous)) o "
            'ON i.id = {anonymous} || o.anonymous OR i.id = o."user" OR i.id = o.before',
            anonymous=literal(ANONYMOUS),
        )
    )
    theirs = fill("_source = {live} AND _key IN (SELECT key FROM live_reowned)", live=literal(LIVE))
    engine.execute(fill("INSERT INTO touched SELECT DISTINCT lead FROM observations WHERE {theirs}", theirs=theirs))
    engine.execute(fill("DELETE FROM observations WHERE {theirs}", theirs=theirs))


def join_aliases(
    engine: Engine, merge_by: Mapping[str, str | None] | None = None, *, at: datetime | None = None
) -> bool:
    """Let former ids be their users', where they are not yet; return whether anybody moved.

    Notes who is `touched`. Call it when the calls' own events and traits are loaded. `merge_by` is as in
    `merge_duplicates`, `at` the moment noted.
    """
    if not engine.rows("SELECT 1 FROM live_aliases LIMIT 1"):
        return False
    pairs = engine.rows(
        "SELECT DISTINCT p.lead, u.lead FROM live_aliases a JOIN ids p ON p.id = a.previous "
        'JOIN ids u ON u.id = a."user" WHERE p.lead <> u.lead AND (a.previous IN (SELECT _id FROM live_calls) '
        "OR a.previous IN (SELECT v FROM live_calls) "
        'OR a."user" IN (SELECT _id FROM live_calls)) ORDER BY 1, 2'
    )
    if pairs and any_apart(engine):
        kin = sorted({lead for pair in pairs for lead in pair})
        return bool(regroup(engine, kin, mentions_by_key(engine, merge_by or {}), at=at))
    joined = [(lead, survivor) for lead, survivor in survivors(pairs).items() if lead != survivor]
    if not joined:
        return False
    leads, into = zip(*joined, strict=True)
    engine.register("_joining", pa.table({"lead": pa.array(leads, pa.int32()), "survivor": pa.array(into, pa.int32())}))
    try:
        moving = "SELECT i.key, j.survivor AS lead, 'alias' AS rule FROM ids i JOIN _joining j ON j.lead = i.lead"
        move_keys(engine, Sql(moving), at=at)
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
