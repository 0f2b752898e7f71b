"""What was said on a device, told anew when the device becomes another's, or nobody's: after a merge was undone, say.

As a rule devices only come to users, and `identity` hands their words over. Where people are kept apart or joined by
hand, a device may leave its user too: the values said on it go with it, so that all is as if they had never been one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.service.call import ANONYMOUS
from leadlight.service.identity import hand_words_over, note_owners
from leadlight.service.mail.addresses import say_left
from leadlight.service.staging import stage_traits
from leadlight.store.apart import any_apart, regroup
from leadlight.store.attributes import load_leads
from leadlight.store.merge import mentions_by_key
from leadlight.store.owners import ANY, first_users
from leadlight.store.sql import Sql, fill, literal

ROUNDS = 20
"""How often words may change hands because words have; each time joins or parts somebody, so few are needed."""

_TOUCHED = Sql("i.lead IN (SELECT lead FROM touched)")


def settle_words(
    engine: Engine,
    desk: Engine,
    features: frozenset[str],
    merge_by: Mapping[str, str | None],
    *,
    at: datetime,
    everybody: bool = False,
) -> None:
    """Let the words said on devices be those of whoever the devices are of now, of leads in `touched` or `everybody`'s.

    Who shares a value only by such words is looked at anew. Call it when ids have moved, where somebody is or was kept
    apart. `features` and `merge_by` are as in `stage_traits` and `merge_duplicates`, `at` is the moment noted.
    """
    for _ in range(ROUNDS):
        changed = _gather_owned(engine, everybody=everybody)
        left = say_left(engine)
        if changed or left:
            _tell(engine, desk, features, left, at=at)
            _look_anew(engine, merge_by, at=at)
        engine.execute("DROP TABLE live_owned")
        if not changed and not left:
            return


def _gather_owned(engine: Engine, *, everybody: bool) -> bool:
    """Make `live_owned`: devices that are another's than their words are told as (or nobody's); are there any?"""
    engine.execute(
        fill(
            "CREATE TEMP TABLE live_asked AS SELECT i.lead, substr(i.id, {start}) AS anonymous FROM ids i "
            "WHERE i.id LIKE {devices} AND {which}",
            start=Sql(str(len(ANONYMOUS) + 1)),
            devices=literal(f"{ANONYMOUS}%"),
            which=ANY if everybody else _TOUCHED,
        )
    )
    engine.execute(
        fill(
            'CREATE TEMP TABLE live_owned AS SELECT * FROM (SELECT d.anonymous, o."user" AS before, '
            'CASE WHEN u.id IS NULL OR u.lead = d.lead THEN f."user" END AS "user" FROM live_asked d '
            'LEFT JOIN ({first}) f ON f.anonymous = d.anonymous LEFT JOIN ids u ON u.id = f."user" '
            'LEFT JOIN live_owners o ON o.anonymous = d.anonymous) s WHERE before IS DISTINCT FROM "user"',
            first=first_users(Sql("l.anonymous IN (SELECT anonymous FROM live_asked)")),
        )
    )
    engine.execute("DROP TABLE live_asked")
    return bool(engine.rows("SELECT 1 FROM live_owned LIMIT 1"))


def _tell(engine: Engine, desk: Engine, features: frozenset[str], left: Sequence[int], *, at: datetime) -> None:
    """Tell the words of `live_owned` as their owners', and those of the ids that are `left` to themselves."""
    note_owners(engine)
    for one in {id(engine): engine, id(desk): desk}.values():
        for table in ("live_said", "live_reowned"):
            one.execute(fill("DROP TABLE IF EXISTS {table}", table=table))
    hand_words_over(engine)
    engine.execute("INSERT INTO live_reowned SELECT unnest(?::INTEGER[])", [list(left)])
    engine.execute("CREATE TEMP TABLE IF NOT EXISTS live_calls (_id VARCHAR, said BOOLEAN)")
    if (leads := stage_traits(engine, desk, features)) is not None:
        load_leads(engine, leads, at)


def _look_anew(engine: Engine, merge_by: Mapping[str, str | None], *, at: datetime) -> None:
    """Look anew who shares something with those whose words changed hands."""
    if any_apart(engine):
        leads = engine.rows("SELECT DISTINCT lead FROM ids WHERE key IN (SELECT key FROM live_reowned) ORDER BY 1")
        regroup(engine, [lead for (lead,) in leads], mentions_by_key(engine, merge_by), at=at)
