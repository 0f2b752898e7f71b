"""What is to be told of changes of grade, kept beside them: written in the same transaction, delivered apart.

    outbox        one row per change and destination: what it says, when it is due, how often it was tried
    destinations  what is known of each destination: until when it wants to be left alone, whether it wants no more

A row is `waiting` until it is `sent`, `dead` (put aside after its last try, or dropped) or `void` (overtaken in quiet
hours). `message` names it for ever; `sent_as` is the name under which it was tried, which is another one where a
message tells of many. Whoever tries a row claims it for a while (`claimed_until`): if that process dies, another sends
it again under the same name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.store.sql import Sql, fill

WAITING, SENT, DEAD, VOID = "waiting", "sent", "dead", "void"
STATES = (WAITING, SENT, DEAD, VOID)

TABLES = (
    "CREATE TABLE IF NOT EXISTS outbox (message VARCHAR NOT NULL, destination VARCHAR NOT NULL, rule VARCHAR NOT NULL, "
    "scorecard VARCHAR NOT NULL, version VARCHAR NOT NULL, _key INTEGER, account VARCHAR, who VARCHAR NOT NULL, "
    "grade_from VARCHAR, grade_to VARCHAR NOT NULL, score DOUBLE, probability DOUBLE, reasons VARCHAR, "
    'attributes VARCHAR, "at" TIMESTAMP NOT NULL, received_at TIMESTAMP, noted_at TIMESTAMP NOT NULL, '
    "due_at TIMESTAMP NOT NULL, held BOOLEAN NOT NULL, state VARCHAR NOT NULL, tries INTEGER NOT NULL, "
    "claimed_until TIMESTAMP, sent_as VARCHAR, error VARCHAR, done_at TIMESTAMP)",
    "CREATE TABLE IF NOT EXISTS destinations (name VARCHAR NOT NULL, address VARCHAR NOT NULL, failures INTEGER "
    "NOT NULL, quiet_until TIMESTAMP, gone_at TIMESTAMP)",
)
INDEXES = (
    "CREATE INDEX IF NOT EXISTS outbox_by_state ON outbox (state, destination)",
    "CREATE INDEX IF NOT EXISTS outbox_by_key ON outbox (_key)",
    "CREATE UNIQUE INDEX IF NOT EXISTS destinations_by_name ON destinations (name)",
)
"""How PostgreSQL finds the few rows that wait among all that were sent."""

_COLUMNS = ("message", "destination", "rule", "scorecard", "version", "who", "grade_from", "grade_to", "score",
            "probability", "reasons", "attributes", "at", "received_at", "noted_at", "due_at", "state", "tries",
            "sent_as", "error", "done_at")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row of the outbox; times are naive UTC, `reasons` and `attributes` are JSON."""

    message: str
    destination: str
    rule: str
    scorecard: str
    version: str
    who: str
    grade_from: str | None
    grade_to: str
    score: float | None
    probability: float | None
    reasons: str | None
    attributes: str | None
    at: datetime
    received_at: datetime | None
    noted_at: datetime
    due_at: datetime
    state: str
    tries: int
    sent_as: str | None
    error: str | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a destination."""

    failures: int = 0
    """How often it failed in a row."""
    quiet_until: datetime | None = None
    gone_at: datetime | None = None
    """When it said that it wants no more."""


def prepare(engine: Engine) -> None:
    """Make the tables where they are absent."""
    if "outbox" in engine.tables():
        return
    for statement in (*TABLES, *(() if engine.capabilities.one_file else INDEXES)):
        engine.execute(statement)


def exists(engine: Engine) -> bool:
    """Return whether anything was ever put there."""
    return "outbox" in engine.tables()


@contextmanager
def claiming(engine: Engine) -> Iterator[None]:
    """All or nothing; in PostgreSQL without the lock of whoever writes scores: rows are locked instead."""
    connection = getattr(engine, "connection", None)
    if engine.capabilities.one_file or connection is None:
        with engine.transaction():
            yield
        return
    with connection.transaction():
        yield


# -------------------------------------------------------------------------------------------------- what is due


def standing(engine: Engine, name: str, address: str) -> Standing:
    """Return what is known of a destination; nothing where its address is a new one (`address` is a digest of it)."""
    found = engine.rows("SELECT failures, quiet_until, gone_at FROM destinations WHERE name = ? AND address = ?",
                        [name, address])  # fmt: skip
    return Standing(*found[0]) if found else Standing()


def keep_standing(engine: Engine, name: str, address: str, now: Standing) -> None:
    """Note what is known of a destination."""
    values = [address, now.failures, now.quiet_until, now.gone_at]
    known = engine.rows("SELECT 1 FROM destinations WHERE name = ?", [name])
    if known:
        engine.execute(
            "UPDATE destinations SET address = ?, failures = ?, quiet_until = ?, gone_at = ? WHERE name = ?",
            [*values, name],
        )
    else:
        engine.execute("INSERT INTO destinations VALUES (?, ?, ?, ?, ?)", [name, *values])


_FREE = Sql("o.state = 'waiting' AND o.due_at <= ? AND (o.claimed_until IS NULL OR o.claimed_until <= ?)")

_FIRST = Sql(
    "NOT EXISTS (SELECT 1 FROM outbox e WHERE e.state = 'waiting' AND e.destination = o.destination "
    "AND e._key IS NOT DISTINCT FROM o._key AND e.account IS NOT DISTINCT FROM o.account "
    'AND (e."at" < o."at" OR (e."at" = o."at" AND e.message < o.message)))'
)
"""Nothing earlier of the same lead waits for the same destination."""


def due(engine: Engine, destination: str, now: datetime, limit: int) -> list[Outgoing]:
    """Return the rows that may be tried now, those that were tried together before next to each other.

    Of each lead only the first: what came later waits behind it.
    """
    query = fill(
        "SELECT {columns} FROM outbox o WHERE o.destination = ? AND {free} AND {first} "
        'ORDER BY o.sent_as NULLS LAST, o."at", o.message LIMIT ?{lock}',
        columns=[*_COLUMNS],
        free=_FREE,
        first=_FIRST,
        lock=Sql("" if engine.capabilities.one_file else " FOR UPDATE SKIP LOCKED"),
    )
    return [Outgoing(*row) for row in engine.rows(query, [destination, now, now, limit])]


def members(engine: Engine, sent_as: str) -> list[Outgoing]:
    """Return all rows that were tried under a name and still wait."""
    query = fill(
        "SELECT {columns} FROM outbox WHERE sent_as = ? AND state = 'waiting' ORDER BY \"at\", message",
        columns=[*_COLUMNS],
    )
    return [Outgoing(*row) for row in engine.rows(query, [sent_as])]


def sent_since(engine: Engine, destination: str, since: datetime) -> list[datetime]:
    """Return when messages were sent, those since a moment, the oldest first."""
    found = engine.rows(
        "SELECT max(done_at) FROM outbox WHERE destination = ? AND state = 'sent' AND done_at > ? "
        "GROUP BY sent_as ORDER BY 1",
        [destination, since],
    )
    return [at for (at,) in found]


def claim(engine: Engine, messages: Sequence[str], sent_as: str, until: datetime) -> None:
    """Note that messages are being tried under a name, and until when nobody else may.

    The try counts when it has ended: who is killed before has not failed.
    """
    engine.execute(
        "UPDATE outbox SET claimed_until = ?, sent_as = ?, held = false WHERE list_contains(?::VARCHAR[], message)",
        [until, sent_as, list(messages)],
    )


def put_off(engine: Engine, messages: Sequence[str], until: datetime, *, held: bool) -> None:
    """Let messages wait longer; `held` ones are void where the lead changes again until then."""
    if not messages:
        return
    engine.execute(
        "UPDATE outbox SET due_at = ?, held = ? WHERE list_contains(?::VARCHAR[], message)",
        [until, held, list(messages)],
    )


def release(engine: Engine) -> None:
    """Let go of what was claimed by a process that is no more; call it where no other can be at work."""
    engine.execute("UPDATE outbox SET claimed_until = NULL WHERE state = 'waiting' AND claimed_until IS NOT NULL")


# ------------------------------------------------------------------------------------------- what became of a try


def note_sent(engine: Engine, sent_as: str, at: datetime) -> None:
    """Note that a message has arrived; what it said is not kept longer."""
    engine.execute(
        "UPDATE outbox SET state = 'sent', done_at = ?, error = NULL, claimed_until = NULL, reasons = NULL, "
        "attributes = NULL, tries = tries + 1 WHERE sent_as = ? AND state = 'waiting'",
        [at, sent_as],
    )


def note_failed(engine: Engine, sent_as: str, error: str, due_at: datetime, *, counts: bool) -> None:
    """Note that a message has not arrived, and when to try again; some tries do not count."""
    engine.execute(
        "UPDATE outbox SET error = ?, due_at = ?, claimed_until = NULL, tries = tries + ? "
        "WHERE sent_as = ? AND state = 'waiting'",
        [error, due_at, 1 if counts else 0, sent_as],
    )


def put_aside(engine: Engine, sent_as: str, error: str, at: datetime) -> None:
    """Note that a message is tried no more."""
    engine.execute(
        "UPDATE outbox SET state = 'dead', error = ?, done_at = ?, claimed_until = NULL, tries = tries + 1 "
        "WHERE sent_as = ? AND state = 'waiting'",
        [error, at, sent_as],
    )


def put_all_aside(engine: Engine, destination: str, error: str, at: datetime) -> int:
    """Put aside all that waits for a destination; return how many."""
    where = "FROM outbox WHERE destination = ? AND state = 'waiting'"
    count = int(engine.rows(fill("SELECT count(*) {where}", where=Sql(where)), [destination])[0][0])
    if count:
        engine.execute(
            "UPDATE outbox SET state = 'dead', error = ?, done_at = ?, claimed_until = NULL "
            "WHERE destination = ? AND state = 'waiting'",
            [error, at, destination],
        )
    return count


# --------------------------------------------------------------------------------------------------- looking at it


def counts(engine: Engine) -> dict[str, int]:
    """Count the rows by state."""
    found = dict(engine.rows("SELECT state, count(*) FROM outbox GROUP BY state")) if exists(engine) else {}
    return {state: int(found.get(state, 0)) for state in STATES}


def waiting_for(engine: Engine) -> dict[str, int]:
    """Count what waits by destination."""
    found = engine.rows("SELECT destination, count(*) FROM outbox WHERE state = 'waiting' GROUP BY destination")
    return {str(name): int(count) for name, count in found}


def listed(
    engine: Engine, states: Sequence[str], *, destination: str | None = None, limit: int = 100
) -> list[Outgoing]:
    """Return rows of some states, the newest first."""
    if not exists(engine):
        return []
    query = fill(
        "SELECT {columns} FROM outbox WHERE list_contains(?::VARCHAR[], state) "
        'AND (?::VARCHAR IS NULL OR destination = ?) ORDER BY noted_at DESC, "at" DESC, message LIMIT ?',
        columns=[*_COLUMNS],
    )
    return [Outgoing(*row) for row in engine.rows(query, [list(states), destination, destination, limit])]


def replay(engine: Engine, messages: Sequence[str] | None, now: datetime) -> list[str]:
    """Let messages that were put aside be tried anew (all for None), and their destinations, too; return which."""
    found = _named(engine, messages, (DEAD,))
    if found:
        engine.execute(
            "UPDATE outbox SET state = 'waiting', tries = 0, due_at = ?, done_at = NULL, error = NULL, held = false "
            "WHERE list_contains(?::VARCHAR[], message)",
            [now, found],
        )
        engine.execute(
            "UPDATE destinations SET gone_at = NULL, failures = 0, quiet_until = NULL WHERE name IN "
            "(SELECT destination FROM outbox WHERE list_contains(?::VARCHAR[], message))",
            [found],
        )
    return found


def drop(engine: Engine, messages: Sequence[str] | None) -> list[str]:
    """Take messages out that wait or were put aside (for None, all that were put aside); return which."""
    found = _named(engine, messages, (DEAD,) if messages is None else (DEAD, WAITING))
    if found:
        engine.execute("DELETE FROM outbox WHERE list_contains(?::VARCHAR[], message)", [found])
    return found


def _named(engine: Engine, messages: Sequence[str] | None, states: Sequence[str]) -> list[str]:
    if not exists(engine):
        return []
    query = (
        "SELECT message FROM outbox WHERE list_contains(?::VARCHAR[], state) "
        "AND (?::VARCHAR[] IS NULL OR list_contains(?::VARCHAR[], message)) ORDER BY message"
    )
    names = None if messages is None else list(messages)
    return [str(message) for (message,) in engine.rows(query, [list(states), names, names])]


def forget_sent(engine: Engine, before: datetime, *, keep: Sequence[str]) -> None:
    """Delete what was sent, or overtaken, before a moment, but of some rules."""
    engine.execute(
        "DELETE FROM outbox WHERE (state = 'sent' OR state = 'void') AND done_at < ? "
        "AND NOT list_contains(?::VARCHAR[], rule)",
        [before, list(keep)],
    )
