"""Who is to be looked up: noted in the transaction that stores what is new of them, taken out when that is done.

live_lookups        leads that wait to be looked up: since when, from when on, and how often that has failed
live_lookups_spent  what look-ups of a day in the background have cost, of the budget that leadlight.yaml gives
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.spec.enrich import EnrichSpec
from leadlight.store.sql import Sql, fill
from leadlight.store.standing import read_at

TABLES = (
    "CREATE TABLE IF NOT EXISTS live_lookups (lead INTEGER NOT NULL, noted_at TIMESTAMP NOT NULL, "
    "due_at TIMESTAMP NOT NULL, tries INTEGER NOT NULL)",
    'CREATE TABLE IF NOT EXISTS live_lookups_spent ("day" VARCHAR NOT NULL, money DOUBLE NOT NULL, '
    "requests BIGINT NOT NULL)",
)
GENTLE = timedelta(seconds=20)
"""How long a lead waits that only did something: it may do more, and is looked at once."""
PAUSE, TRIES = timedelta(hours=1), 5
"""A look-up that failed is tried again after this, twice as long each time, and so often."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A lead's number, and the moment at which it was noted last: noted again meanwhile, it stays in the queue."""

    lead: int
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Spent:
    """Money, and HTTP requests."""

    money: float = 0.0
    requests: int = 0


def prepare(engine: Engine, spec: EnrichSpec | None) -> None:
    """Make the tables; with `on_ingest`, whoever was read last waits then: the service read, and asked nobody."""
    fresh = not engine.columns("live_lookups")
    with engine.transaction():
        for statement in TABLES:
            engine.execute(statement)
        if fresh and spec is not None and spec.on_ingest:
            note_read_last(engine)


def note_read_last(engine: Engine) -> None:
    """Note the leads of whom something new was read when sources were read last."""
    last = engine.rows("SELECT max(_read_at) FROM observations")[0][0]
    if last is not None:
        note_leads(engine, read_at(engine, last), last)


def note_leads(engine: Engine, leads: Iterable[int], now: datetime) -> None:
    """Note that leads are to be looked up at once."""
    engine.register("_to_look_up", pa.table({"lead": pa.array(sorted(leads), pa.int32())}))
    with engine.transaction():
        _note(engine, Sql("SELECT lead FROM _to_look_up"), now, now, anew=True)
    engine.unregister("_to_look_up")


def note_stored(engine: Engine, spec: EnrichSpec | None, now: datetime) -> None:
    """Note whom a micro-batch is about, where `on_ingest` is told: at once those of whom something new is known.

    Those who only did something follow a little later, because an answer may matter now that did not before. Call it
    in the transaction that stores the calls.
    """
    if spec is not None and spec.on_ingest:
        touched = Sql("SELECT lead FROM touched")
        only_did = fill("SELECT lead FROM live_named WHERE lead IS NOT NULL EXCEPT {touched}", touched=touched)
        _note(engine, touched, now, now, anew=True)
        _note(engine, only_did, now, now + GENTLE, anew=False)


def _note(engine: Engine, leads: Sql, now: datetime, due: datetime, *, anew: bool) -> None:
    """Note leads as due at a moment, those that wait already no later than before; `anew` begins to count tries."""
    engine.execute(
        fill(
            "UPDATE live_lookups SET noted_at = $1, due_at = least(due_at, $2), tries = {tries} "
            "WHERE lead IN ({leads})",
            tries=Sql("0" if anew else "tries"),
            leads=leads,
        ),
        [now, due],
    )
    engine.execute(
        fill(
            "INSERT INTO live_lookups SELECT DISTINCT lead, $1::TIMESTAMP, $2::TIMESTAMP, 0 FROM ({leads}) t "
            "WHERE lead NOT IN (SELECT lead FROM live_lookups)",
            leads=leads,
        ),
        [now, due],
    )


def due(engine: Engine, now: datetime, limit: int) -> list[Waiting]:
    """Return the first of those who are to be looked up by now."""
    found = engine.rows(
        "SELECT lead, noted_at FROM live_lookups WHERE due_at <= ? ORDER BY due_at, lead LIMIT ?", [now, limit]
    )
    return [Waiting(int(lead), noted_at) for lead, noted_at in found]


def waiting(engine: Engine) -> int:
    """Return how many leads wait, also those that are tried again later."""
    return int(engine.rows("SELECT count(*) FROM live_lookups")[0][0])


def settle(engine: Engine, taken: Sequence[Waiting], now: datetime, *, put_off: datetime | None = None) -> None:
    """Take out those who were looked up, but for those who were noted again meanwhile.

    Who could not be asked (the network is down, a site is broken) is tried again when the failure does not hold any
    more. With `put_off` nobody is taken out: all of them wait until then.
    """
    columns = {"lead": pa.array([one.lead for one in taken], pa.int32()),
               "noted_at": pa.array([one.noted_at for one in taken], pa.timestamp("us"))}  # fmt: skip
    engine.register("_taken", pa.table(columns))
    with engine.transaction():
        if put_off is not None:
            engine.execute(fill("UPDATE live_lookups l SET due_at = $1 WHERE {same}", same=_SAME), [put_off])
        else:
            later = {lead: max(until, now + PAUSE * 2**tries) for lead, until, tries in engine.rows(_FAILED, [now])}
            engine.execute(fill("DELETE FROM live_lookups l WHERE {same} AND lead NOT IN (SELECT unnest(?::INTEGER[]))",
                                same=_SAME), [list(later)])  # fmt: skip
            again = fill(
                "UPDATE live_lookups l SET due_at = $1, tries = tries + 1 WHERE lead = $2 AND {same}", same=_SAME
            )
            for lead, until in later.items():
                engine.execute(again, [until, lead])
    engine.unregister("_taken")


_SAME = Sql("EXISTS (SELECT 1 FROM _taken t WHERE t.lead = l.lead AND t.noted_at = l.noted_at)")
_FAILED = fill(
    "SELECT w.lead, min(f.until) AS until, any_value(w.tries) AS tries "
    "FROM (SELECT l.* FROM live_lookups l WHERE {same}) w JOIN ("
    "SELECT i.lead, l.outcome, l.why, l.until, row_number() OVER (PARTITION BY i.lead, l.provider "
    "ORDER BY l.recorded_at DESC, l.known_at DESC, l._key) AS newest FROM lookups l JOIN ids i ON i.key = l._key "
    "WHERE i.lead IN (SELECT lead FROM _taken)) f ON f.lead = w.lead "
    "WHERE f.newest = 1 AND f.outcome = 'failed' AND f.why IN ('unreachable', 'broken', 'rate_limited') "
    "AND f.until > ? AND w.tries < {tries} GROUP BY w.lead",
    same=_SAME,
    tries=Sql(str(TRIES)),
)


def spent(engine: Engine, now: datetime) -> Spent:
    """Return what was spent on the day (UTC) of a moment."""
    found = engine.rows('SELECT money, requests FROM live_lookups_spent WHERE "day" = ?', [_day(now)])
    return Spent(float(found[0][0]), int(found[0][1])) if found else Spent()


def spend(engine: Engine, more: Spent, now: datetime) -> None:
    """Add to what was spent on the day of a moment; former days are forgotten."""
    before = spent(engine, now)
    with engine.transaction():
        engine.execute("DELETE FROM live_lookups_spent")
        engine.execute(
            "INSERT INTO live_lookups_spent VALUES (?, ?, ?)",
            [_day(now), before.money + more.money, before.requests + more.requests],
        )


def next_day(now: datetime) -> datetime:
    """Return when there is a new budget.

    >>> next_day(datetime(2026, 1, 31, 23, 59))
    datetime.datetime(2026, 2, 1, 0, 0)
    """
    return datetime.combine(now.date() + timedelta(days=1), datetime.min.time())


def _day(now: datetime) -> str:
    return now.date().isoformat()
