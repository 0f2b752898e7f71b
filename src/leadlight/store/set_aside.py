"""Events that do not count: moved out of `events` as they were, with the reason, and back.

Nothing that reads `events` has to know of it. Who moved an event (`by`) is a rule (`bots`, `consent`) or `hand`. What a
person judged (`judgements`) no rule overturns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable
from leadlight.store.sql import Sql, fill, quoted

OURS = ("_reason", "_aside_at", "_aside_by")
HAND = "hand"
SHOWN = 100


def put_aside(engine: Engine, going: Sql, *, by: str, at: datetime) -> int:
    """Move events out, and return how many; notes who is `touched`.

    `going` is a query of (_source, _key, lead, reason).
    """
    engine.execute(fill("CREATE TEMP TABLE going AS SELECT _source, _key, lead, reason FROM ({going}) g", going=going))
    count = int(engine.rows(fill("SELECT count(*) FROM events e JOIN going g ON {same}", same=_SAME))[0][0])
    if count:
        names = _shared_columns(engine)
        engine.execute(
            fill(
                "INSERT INTO set_aside ({names}, _reason, _aside_at, _aside_by) SELECT {values}, g.reason, "
                "?::TIMESTAMP, ? FROM events e JOIN going g ON {same}",
                names=names,
                values=Sql(", ".join(f"e.{quoted(name)}" + ("::VARCHAR" if name == "type" else "") for name in names)),
                same=_SAME,
            ),
            [at, by],
        )
        engine.execute(fill("DELETE FROM events e USING going g WHERE {same}", same=_SAME))
        engine.execute("UPDATE layout SET in_order = greatest(in_order - ?, 0) WHERE name = 'events'", [count])
        engine.execute("INSERT INTO touched SELECT DISTINCT lead FROM going")
    engine.execute("DROP TABLE going")
    return count


_SAME = Sql("e.lead = g.lead AND e._key = g._key AND e._source = g._source")


def take_back(engine: Engine, coming: Sql) -> int:
    """Move events back; `coming` is a query of (_source, _key). Returns how many; notes who is `touched`."""
    engine.execute(fill("CREATE TEMP TABLE coming AS SELECT _source, _key FROM ({coming}) c", coming=coming))
    same = Sql("a._key = c._key AND a._source = c._source")
    count = int(engine.rows(fill("SELECT count(*) FROM set_aside a JOIN coming c ON {same}", same=same))[0][0])
    if count:
        names = _shared_columns(engine)
        type_ = engine.columns("events")["type"]
        values = [f"a.{quoted(name)}" + (f"::{type_}" if name == "type" else "") for name in names]
        engine.execute(
            fill(
                "INSERT INTO events ({names}) SELECT {values} FROM set_aside a JOIN coming c ON {same}",
                names=names, values=Sql(", ".join(values)), same=same,
            )
        )  # fmt: skip
        engine.execute(
            fill("INSERT INTO touched SELECT DISTINCT a.lead FROM set_aside a JOIN coming c ON {same}", same=same)
        )
        engine.execute(fill("DELETE FROM set_aside a USING coming c WHERE {same}", same=same))
    engine.execute("DROP TABLE coming")
    return count


def _shared_columns(engine: Engine) -> list[str]:
    """Return the columns of events, which the table has too after this."""
    columns = engine.columns("events")
    present = {name.lower() for name in engine.columns("set_aside")}
    for name, kind in columns.items():
        if name.lower() not in present:
            engine.execute(fill("ALTER TABLE set_aside ADD COLUMN {name} {kind}", name=name, kind=Sql(kind)))
    return list(columns)


def judge(engine: Engine, events: Sql, *, aside: bool, at: datetime, who: str | None = None) -> int:
    """Let a person's word hold for events: `events` is a query of (_source, _key, lead, _said_of); returns how many.

    Those that are to be set aside and are not yet, are moved, and the other way round.
    """
    engine.execute(fill("CREATE TEMP TABLE judged AS {events}", events=events))
    engine.execute("DELETE FROM judgements j USING judged g WHERE j._key = g._key AND j._source = g._source")
    engine.execute(
        "INSERT INTO judgements SELECT _source, _key, ?, _said_of, ?::TIMESTAMP, ?::VARCHAR FROM judged",
        [aside, at, who],
    )
    count = int(engine.rows("SELECT count(*) FROM judged")[0][0])
    if aside:
        put_aside(engine, Sql("SELECT _source, _key, lead, 'hand' AS reason FROM judged"), by=HAND, at=at)
        engine.execute(
            "UPDATE set_aside SET _reason = 'hand', _aside_by = 'hand' FROM judged g "
            "WHERE set_aside._key = g._key AND set_aside._source = g._source"
        )
    else:
        take_back(engine, Sql("SELECT _source, _key FROM judged"))
    engine.execute("DROP TABLE judged")
    return count


# ------------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class Aside:
    """An event that does not count: `event` is a short name for it, made of its key."""

    event: str
    id: str
    type: str
    at: datetime
    reason: str
    by: str
    aside_at: datetime

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "event": self.event, "id": self.id, "type": self.type, "at": f"{self.at.isoformat()}Z",
            "reason": self.reason, "by": self.by, "aside_at": f"{self.aside_at.isoformat()}Z",
        }  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class SetAside(Readable):
    """What is set aside: how many events for each reason, and the newest of them."""

    reasons: tuple[tuple[str, int], ...]
    events: tuple[Aside, ...]
    moved: int | None = None
    """How many events changed sides, where that was asked for."""

    def __str__(self) -> str:
        lines = [] if self.moved is None else [f"{many(self.moved, 'event')} moved"]
        lines += [f"{count:>8}  {reason}" for reason, count in self.reasons] or ["nothing is set aside"]
        lines += [f"{one.event}  {one.at:%Y-%m-%d %H:%M:%S}  {one.id}  {one.type}: {one.reason}" for one in self.events]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        found: dict[str, Any] = {
            "reasons": dict(self.reasons), "total": sum(count for _, count in self.reasons),
            "events": [one.as_dict() for one in self.events],
        }  # fmt: skip
        return found if self.moved is None else {**found, "moved": self.moved}


@dataclass(frozen=True, slots=True)
class Which:
    """Which events are meant: all of these that are not None must hold; `since` and `until` are their own times."""

    lead: int | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    event: str | None = None

    def where(self, *, aside: bool) -> tuple[Sql, list[Any]]:
        """Return the condition on events `e`, and its parameters."""
        parts: list[tuple[str, Any]] = [
            ("e.lead = ?", self.lead), ("e._reason = ?", self.reason if aside else None), ('e."at" >= ?', self.since),
            ('e."at" < ?', self.until), (f"{EVENT} = ?", self.event),
        ]  # fmt: skip
        told = [(text, value) for text, value in parts if value is not None]
        return Sql(" AND ".join(text for text, _ in told) or "TRUE"), [value for _, value in told]


EVENT = "substr(md5(hex(e._key)), 1, 12)"
"""A short name of an event."""


def list_set_aside(engine: Engine, which: Which = Which(), *, limit: int = SHOWN, moved: int | None = None) -> SetAside:
    """Return what is set aside."""
    where, told = which.where(aside=True)
    reasons = engine.rows(
        fill("SELECT _reason, count(*) FROM set_aside e WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1", where=where), told
    )
    rows = engine.rows(
        fill(
            'SELECT {event}, i.id, e.type, e."at", e._reason, e._aside_by, e._aside_at FROM set_aside e '
            'JOIN ids i ON i.key = e.lead WHERE {where} ORDER BY e."at" DESC, 1 LIMIT ?',
            event=Sql(EVENT),
            where=where,
        ),
        [*told, limit],
    )
    return SetAside(tuple(reasons), tuple(Aside(*row) for row in rows), moved)


def judge_which(engine: Engine, which: Which, *, aside: bool, at: datetime, who: str | None = None) -> int:
    """Set events aside by hand, or take them back; returns how many. Call it inside `touched.changing`."""
    where, told = which.where(aside=not aside)
    engine.execute(
        fill(
            "CREATE TEMP TABLE meant AS SELECT e._source, e._key, e.lead, e._said_of FROM {table} e WHERE {where}",
            table="events" if aside else "set_aside",
            where=where,
        ),
        told,
    )
    count = judge(engine, Sql("SELECT * FROM meant"), aside=aside, at=at, who=who)
    engine.execute("DROP TABLE meant")
    return count
