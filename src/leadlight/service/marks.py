"""What calls bring beside what they say: the client and address they came from, and to what the person has consented.

Of clients only the name of a crawler is kept, of addresses a hash that differs from store to store, for a day unless
`bots: {keep: …}` says otherwise: enough to see that one machine makes too many events, and no more. (A hash of an
address is still personal data: whoever has the store can try all addresses.)
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.engines.desk import bring
from leadlight.service.live_tables import LIVE
from leadlight.sources.names import snake_case
from leadlight.spec.bots import BotsSpec, ScannersSpec
from leadlight.spec.consent import ConsentSpec
from leadlight.spec.models import WorkspaceSpec
from leadlight.store.bots import drop_watched, find_bots, reach, set_found_aside, watch_near
from leadlight.store.consent import settle_consent
from leadlight.store.keys import said
from leadlight.store.sql import Sql, fill, joined, literal

YES = ("true", "yes", "granted", "1", "1.0")
NO = ("false", "no", "denied", "0", "0.0")

FORGET_EVERY = timedelta(minutes=10)

STAGED = ("live_marks", "live_happened", "near", "live_consents")
"""The temporary tables."""


class Marks:
    """Takes in what the calls of a micro-batch bring beside, and decides which events count by it."""

    def __init__(self) -> None:
        self._forgot: datetime | None = None

    def settle(self, engine: Engine, desk: Engine, spec: WorkspaceSpec, *, events: bool, at: datetime) -> None:
        """Set aside what does not count; call it when all is loaded (`events`, if any) and everybody is who they are.

        Notes who is `touched`.
        """
        said = note_consents(engine, desk, spec.consent)
        if events:
            set_bots_aside(engine, desk, spec.bots, at=at)
        if spec.consent is not None and (events or said or engine.rows("SELECT 1 FROM touched LIMIT 1")):
            settle_consent(engine, spec.consent, WHOM, at=at)
        if self._forgot is None or at - self._forgot > FORGET_EVERY:
            forget_origins(engine, spec.bots, now=at)
            self._forgot = at


@lru_cache(maxsize=10_000)
def crawler(agent: str) -> str | None:
    """Return the name of a crawler, None for what is none.

    >>> crawler("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
    'Googlebot'
    """
    found = _detector().isCrawler(agent[:1_000])
    return str(_detector().getMatches() or "crawler")[:100] if found else None


@lru_cache(maxsize=1)
def _detector():  # type: ignore[no-untyped-def]  # the library has no types
    from crawlerdetect import CrawlerDetect  # type: ignore[import-untyped]

    return CrawlerDetect()


# ---------------------------------------------------------------------------------------------------------- bots


def set_bots_aside(engine: Engine, desk: Engine, spec: BotsSpec | None, *, at: datetime) -> None:
    """Note where the staged events came from, and set aside those that nobody did, with what they make so.

    Call it when the events are loaded and everybody is who they are.
    """
    if spec is None or LIVE not in spec.sources:
        return
    _note_origins(engine, desk, spec, at)
    _gather_near(engine, spec, at)
    if engine.rows("SELECT 1 FROM near LIMIT 1"):
        watch_near(engine, spec)
        find_bots(engine, spec)
        set_found_aside(engine, at=at)
        drop_watched(engine)


def _note_origins(engine: Engine, desk: Engine, spec: BotsSpec, at: datetime) -> None:
    """Make `live_happened` of the staged events, and put them into `origins`."""
    _gather_marks(engine, desk)
    honeypot = spec.honeypot if spec.honeypot is not None and spec.honeypot in engine.columns("live_events") else None
    engine.execute(
        fill(
            "CREATE TEMP TABLE live_happened AS SELECT md5_number({said}) AS _key, i.key AS _said_of, e._type AS type, "
            'e._at AS "at", m.crawler, m.address, {trapped} AS trapped FROM live_events e '
            "JOIN live_ids i ON i.id = e._lead LEFT JOIN live_marks m ON m.message = e._message_id",
            said=said("m", Sql("e._message_id")),
            trapped=fill("e.{name} IS NOT NULL", name=honeypot) if honeypot else Sql("FALSE"),
        )
    )
    engine.execute(
        fill(
            'INSERT INTO origins SELECT {live}, _key, _said_of, "at", crawler, address, ?::TIMESTAMP '
            'FROM live_happened WHERE _key NOT IN (SELECT _key FROM origins WHERE "at" BETWEEN '
            '(SELECT min("at") FROM live_happened) AND (SELECT max("at") FROM live_happened))',
            live=literal(LIVE),
        ),
        [at],
    )


def _gather_marks(engine: Engine, desk: Engine) -> None:
    """Make `live_marks`: of each message the crawler that sent it, and the hash of the address."""
    agents = [agent for (agent,) in desk.rows("SELECT DISTINCT ua FROM live_bodies WHERE ua IS NOT NULL AND e <> ''")]
    found = [(agent, name) for agent in agents if (name := crawler(agent)) is not None]
    salt = engine.rows("SELECT min(taken_at)::VARCHAR FROM migrations")[0][0]
    desk.register(
        "_crawlers",
        pa.table(
            {
                "agent": pa.array([a for a, _ in found], pa.string()),
                "name": pa.array([n for _, n in found], pa.string()),
            }
        ),
    )
    desk.execute(
        "CREATE TEMP TABLE live_marks AS SELECT b.m AS message, min(c.name) AS crawler, "
        "min(md5(? || b.ip)) AS address FROM live_bodies b LEFT JOIN _crawlers c ON c.agent = b.ua "
        "WHERE b.e IS NOT NULL AND (c.name IS NOT NULL OR b.ip IS NOT NULL) GROUP BY b.m",
        [salt],
    )
    desk.unregister("_crawlers")
    bring("live_marks", desk, engine)


def _gather_near(engine: Engine, spec: BotsSpec, now: datetime) -> None:
    """Make `near`: whose events, and around what times, may be a machine's by what has come."""
    lately = now - spec.keep
    parts = [
        Sql('SELECT _said_of, "at" AS low, "at" AS high FROM live_happened WHERE crawler IS NOT NULL OR trapped'),
        Sql('SELECT _said_of, "at", "at" FROM live_happened WHERE "at" < ?'),
    ]
    if (mail := spec.scanners) is not None:
        parts.append(
            fill('SELECT _said_of, "at", "at" FROM live_happened WHERE type IN ({types})', types=_mail_types(mail))
        )
    span = Sql(f"INTERVAL '{reach(spec).total_seconds():.6f} seconds'")
    around = fill(
        'o."at" BETWEEN (SELECT min("at") FROM live_happened) - {span} '
        'AND (SELECT max("at") FROM live_happened) + {span}',
        span=span,
    )
    if spec.rate is not None:
        parts.append(
            fill(
                'SELECT _said_of, "at", "at" FROM live_happened WHERE _said_of IN (SELECT o._said_of FROM origins o '
                "WHERE {around} AND o._said_of IN (SELECT _said_of FROM live_happened) GROUP BY o._said_of "
                "HAVING count(*) > {events})",
                around=around, events=Sql(str(spec.rate.events)),
            )
        )  # fmt: skip
    if spec.address_rate is not None:
        parts.append(
            fill(
                'SELECT o._said_of, o."at", o."at" FROM origins o WHERE {around} AND o.address IN (SELECT o.address '
                "FROM origins o WHERE {around} AND o.address IN (SELECT address FROM live_happened) GROUP BY o.address "
                "HAVING count(*) > {events})",
                around=around, events=Sql(str(spec.address_rate.events)),
            )
        )  # fmt: skip
    engine.execute(
        fill(
            "CREATE TEMP TABLE near AS SELECT _said_of, min(low) AS low, max(high) AS high FROM ({parts}) p "
            "GROUP BY _said_of",
            parts=joined(parts, " UNION ALL "),
        ),
        [lately],
    )


def _mail_types(spec: ScannersSpec) -> Sql:
    return joined([literal(name) for name in (spec.delivered, spec.opened, spec.clicked)])


def forget_origins(engine: Engine, spec: BotsSpec | None, *, now: datetime) -> None:
    """Forget where events came from, once that is as old as is said; names of crawlers stay."""
    before = now - (spec or BotsSpec()).keep
    with engine.transaction():
        engine.execute("DELETE FROM origins WHERE crawler IS NULL AND kept_at < ?", [before])
        engine.execute("UPDATE origins SET address = NULL WHERE address IS NOT NULL AND kept_at < ?", [before])


# ------------------------------------------------------------------------------------------------------- consent


def note_consents(engine: Engine, desk: Engine, spec: ConsentSpec | None) -> bool:
    """Put what the staged calls say of consent into `consents`; return whether any says something."""
    if spec is None:
        return False
    parts = [
        fill(
            "SELECT _id AS id, {purpose} AS purpose, t AS \"at\", m AS message, lower(coalesce("
            "json_extract_string(c, {in_context}), json_extract_string(i, {as_trait}))) AS said FROM live_bodies",
            purpose=literal(purpose), in_context=_path(purpose), as_trait=_path(snake_case(purpose)),
        )
        for purpose in spec.purposes
    ]  # fmt: skip
    desk.execute(
        fill(
            'CREATE TEMP TABLE live_consents AS SELECT id, purpose, "at", message, said IN ({yes}) AS given '
            "FROM ({parts}) p WHERE said IN ({yes}, {no})",
            parts=joined(parts, " UNION ALL "),
            yes=joined([literal(word) for word in YES]),
            no=joined([literal(word) for word in NO]),
        )
    )
    bring("live_consents", desk, engine)
    engine.execute(
        'INSERT INTO consents SELECT i.key, c.purpose, c."at", c.given, c.message FROM live_consents c '
        "JOIN live_ids i ON i.id = c.id WHERE NOT EXISTS (SELECT 1 FROM consents o WHERE o._said_of = i.key "
        'AND o.purpose = c.purpose AND o.message = c.message AND o."at" = c."at")'
    )
    return bool(engine.rows("SELECT 1 FROM live_consents LIMIT 1"))


def _path(name: str) -> Sql:
    return literal('$."{}"'.format(name.replace('"', "")))


WHOM = Sql("SELECT lead FROM touched UNION SELECT lead FROM live_named")
"""Whose consent is to be looked at after a micro-batch."""


def drop_marks(engine: Engine) -> None:
    """Forget what was staged."""
    for table in STAGED:
        engine.execute(fill("DROP TABLE IF EXISTS {table}", table=table))
