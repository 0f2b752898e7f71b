"""What providers said of leads: every question that was put (`lookups`), and every answer, side by side (`facts`).

An *answer* is what one provider said of a lead at one moment: a look-up that found something or nothing, with its
facts. It holds until the same provider answers again about the same lead, which takes back what it does not repeat; a
look-up that failed takes nothing back. `choice` makes observations of the answers, and so periods: from there on a
value that was looked up is like any other. Merged leads have the answers of all their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.spec.catalog import RESERVED
from leadlight.spec.enrich import EnrichSpec
from leadlight.store import names
from leadlight.store.choice import choose, note_attributes, rules_before, touch_changed_rules
from leadlight.store.history import LEADS, add_columns
from leadlight.store.periods import rebuild
from leadlight.store.schema import BEGINNING
from leadlight.store.speakers import FILL, SPEAKERS
from leadlight.store.sql import Sql, each, fill, more

SINCE_CREATION = datetime.fromisoformat(BEGINNING)
"""The `known_at` of an answer that counts as known since the lead exists."""

_MOMENT = pa.timestamp("us")

LOOKUPS = pa.schema(
    [
        ("_key", pa.int32()),
        ("provider", pa.string()),
        ("subject", pa.string()),
        ("outcome", pa.string()),
        ("why", pa.string()),
        ("message", pa.string()),
        ("cost", pa.float64()),
        ("basis", pa.string()),
        ("fetched_at", _MOMENT),
        ("known_at", _MOMENT),
        ("until", _MOMENT),
    ]
)
"""A question that was put about the id `_key` (`ids.key`): its subject (`provider.key`), and how it ended.

`outcome` is found, nothing or failed (then `why` and `message` say why). `known_at` is null for the moment of
recording, `SINCE_CREATION`, or the moment since when the lead's own values that the answer follows from are known.
"""

FACTS = pa.schema(
    [
        ("_key", pa.int32()),
        ("provider", pa.string()),
        ("attribute", pa.string()),
        ("value", pa.string()),
        ("type", pa.string()),
        ("confidence", pa.float64()),
        ("origin", pa.string()),
        ("evidence", pa.string()),
        ("licence", pa.string()),
        ("fetched_at", _MOMENT),
        ("known_at", _MOMENT),
        ("until", _MOMENT),
    ]
)
"""One value of an answer, as canonical text; when it was fetched and since when it is known is its look-up's."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was written: questions, facts, and the leads whose values were made again."""

    lookups: int
    facts: int
    leads: int


def record(engine: Engine, spec: EnrichSpec, lookups: pa.Table, facts: pa.Table, now: datetime) -> Recorded:
    """Write answers down, and make the values that are used again for all who are concerned; all or nothing.

    `lookups` and `facts` are tables of those names' columns. Of several look-ups with the same id and provider the last
    counts, and facts go with theirs. What an earlier answer has said of the past is not rewritten: an answer that would
    be known before (or at) a moment of which the provider has already answered is known since `now`.
    """
    with engine.transaction():
        engine.execute("CREATE TEMP TABLE touched (lead INTEGER)")
        _hear(engine, lookups, facts, now)
        attributes = engine.rows("SELECT DISTINCT attribute FROM heard_facts ORDER BY 1")
        written = _write(engine, now)
        if note_attributes(engine, spec, [str(name) for (name,) in attributes]):
            declare(engine, {})
        leads = settle(engine, spec)
        engine.execute("DROP TABLE touched")
    return Recorded(*written, leads)


def settle(engine: Engine, spec: EnrichSpec | None) -> int:
    """Choose again, and make the periods again, for the leads in `touched` and those whose rules have changed.

    Without rules (None) those hold by which was chosen last.
    """
    if engine.rows("SELECT 1 FROM choices LIMIT 1"):
        if spec is None:
            spec = rules_before(engine)
        else:
            touch_changed_rules(engine, spec)
        choose(engine, spec)
    return rebuild(engine, LEADS)


def _hear(engine: Engine, lookups: pa.Table, facts: pa.Table, now: datetime) -> None:
    """Make `heard` and `heard_facts`: what is to be written, dated."""
    engine.register("given_lookups", _placed(lookups, LOOKUPS))
    engine.register("given_facts", _placed(facts, FACTS))
    rest = [name for name in LOOKUPS.names if name != "known_at"]
    engine.execute(
        fill(
            "CREATE TEMP TABLE heard AS WITH given AS (SELECT i.lead{given}, coalesce(g.known_at, ?) AS known_at "
            "FROM given_lookups g JOIN ids i ON i.key = g._key "
            "QUALIFY row_number() OVER (PARTITION BY g._key, g.provider ORDER BY g._place DESC) = 1) "
            "SELECT g.lead{given}, CASE WHEN g.known_at < ? AND EXISTS (SELECT 1 FROM lookups l JOIN ids i "
            "ON i.key = l._key WHERE i.lead = g.lead AND l.provider = g.provider AND l.outcome <> 'failed' "
            "AND l.known_at >= g.known_at) THEN ? ELSE g.known_at END AS known_at FROM given g",
            given=more(each("g.{name}", rest)),
        ),
        [now, now, now],
    )
    of_facts = [name for name in FACTS.names if name not in ("fetched_at", "known_at", "until")]
    engine.execute(
        fill(
            "CREATE TEMP TABLE heard_facts AS SELECT {facts}, coalesce(f.fetched_at, h.fetched_at) AS fetched_at, "
            "h.known_at, coalesce(f.until, h.until) AS until FROM given_facts f "
            "JOIN heard h ON h._key = f._key AND h.provider = f.provider AND h.outcome = 'found'",
            facts=each("f.{name}", of_facts),
        )
    )
    engine.unregister("given_lookups")
    engine.unregister("given_facts")


def _placed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the columns of a schema, null where the table has none, and the rows' places."""
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    places = pa.array(range(len(table)), pa.int64())
    return pa.table([*columns, places], names=[*schema.names, "_place"])


def _write(engine: Engine, now: datetime) -> tuple[int, int]:
    """Put what was heard into the tables, in the place of what was recorded at the same moment."""
    of_same_sort = "(h.outcome <> 'failed' OR t.outcome = 'failed')"
    for table, condition in (("facts", "h.outcome <> 'failed'"), ("lookups", of_same_sort)):
        engine.execute(
            fill(
                "DELETE FROM {table} t USING heard h WHERE h._key = t._key AND h.provider = t.provider "
                "AND h.known_at = t.known_at AND {condition}",
                table=table,
                condition=Sql(condition),
            )
        )
    engine.execute(
        fill(
            "INSERT INTO lookups BY NAME SELECT {columns}, ?::TIMESTAMP AS recorded_at FROM heard "
            "ORDER BY _key, provider",
            columns=LOOKUPS.names,
        ),
        [now],
    )
    engine.execute("INSERT INTO facts BY NAME SELECT * FROM heard_facts ORDER BY _key, provider, attribute")
    engine.execute("INSERT INTO touched SELECT DISTINCT lead FROM heard WHERE outcome <> 'failed'")
    counts = engine.rows("SELECT (SELECT count(*) FROM heard), (SELECT count(*) FROM heard_facts)")[0]
    for table in ("heard", "heard_facts"):
        engine.execute(fill("DROP TABLE {table}", table=table))
    return int(counts[0]), int(counts[1])


def answered(engine: Engine, keys: Iterable[int], now: datetime) -> pa.Table:
    """Return how each lead's last question to each provider ended, where that still holds: nobody is asked twice.

    Columns: _key (the lead's number, as in `keys`), provider, subject (another one is another question), outcome,
    until.
    """
    wanted = pa.table({"lead": pa.array(list(keys), pa.int32())})
    engine.register("wanted_leads", wanted)
    found = engine.arrow(
        "WITH last AS (SELECT i.lead, l.provider, l.subject, l.outcome, l.until FROM lookups l "
        "JOIN ids i ON i.key = l._key WHERE i.lead IN (SELECT lead FROM wanted_leads) QUALIFY row_number() OVER "
        "(PARTITION BY i.lead, l.provider ORDER BY l.recorded_at DESC, l.known_at DESC, l._key) = 1) "
        "SELECT lead AS _key, provider, subject, outcome, until FROM last WHERE until > ? ORDER BY lead, provider",
        [now],
    )
    engine.unregister("wanted_leads")
    return found


def answers_of(engine: Engine, lead: int, moment: datetime) -> pa.Table:
    """Return what each provider says of one lead as of a moment: the facts of its newest answer, with its basis."""
    return engine.arrow(
        "WITH answers AS (SELECT l._key, l.provider, l.known_at, l.basis FROM lookups l JOIN ids i ON i.key = l._key "
        "WHERE i.lead = $1 "
        "AND l.outcome <> 'failed' AND l.known_at <= $2 QUALIFY row_number() OVER (PARTITION BY l.provider "
        "ORDER BY l.known_at DESC, l.fetched_at DESC, l._key) = 1) "
        "SELECT f.*, a.basis FROM answers a JOIN facts f ON f._key = a._key AND f.provider = a.provider "
        "AND f.known_at = a.known_at ORDER BY f.attribute, f.provider, f.confidence DESC, f.value",
        [lead, moment],
    )


def lookups_of(engine: Engine, lead: int, moment: datetime) -> pa.Table:
    """Return every question that was put about one lead up to a moment, the newest first."""
    return engine.arrow(
        "SELECT l.* FROM lookups l JOIN ids i ON i.key = l._key WHERE i.lead = $1 AND l.recorded_at <= $2 "
        "ORDER BY l.recorded_at DESC, l.provider, l._key",
        [lead, moment],
    )


# ------------------------------------------------------------------------------------------- names that count as known


def declare(engine: Engine, given: Mapping[str, Type]) -> None:
    """Give the store a column for each attribute that `enrich:` can give, or that was given, and note its name.

    So scorecards may use it before anybody was asked: it is always missing. The user's own values say of which type a
    column is; names that accounts have are left to them. Whoever has values in a column of another type is touched.
    """
    own = names.known_types(engine, "attribute", without=SPEAKERS)
    accounts = names.known_types(engine, "account_attribute")
    wanted = {
        name: own.get(name, kind)
        for name, kind in sorted({**_said(engine), **given}.items())
        if name not in RESERVED and name not in accounts
    }
    add_columns(engine, LEADS, wanted)
    yield_columns(engine, {name: kind for name, kind in wanted.items() if name not in own})
    engine.execute("DELETE FROM names WHERE source = ?", [FILL])
    names.record(engine, "attribute", FILL, wanted)


def _said(engine: Engine) -> dict[str, Type]:
    """Return the attributes that the store has facts of, or knows from before, with their types."""
    found = engine.rows(
        "SELECT name, type FROM names WHERE kind = 'attribute' AND source = ? UNION ALL SELECT attribute, "
        "CASE WHEN count(DISTINCT type) = 1 THEN min(type) ELSE 'text' END FROM facts GROUP BY 1",
        [FILL],
    )
    return {str(name): Type(kind) for name, kind in found}


def yield_columns(engine: Engine, columns: Mapping[str, Type]) -> None:
    """Let columns that hold nothing but what was looked up be of the types given; note who is touched."""
    own = names.known_types(engine, "attribute", without=SPEAKERS)
    present = {name.lower(): (name, kind) for name, kind in engine.columns(LEADS.observations).items()}
    for name, kind in columns.items():
        column, before = present.get(name.lower(), (name, None))
        after = engine.capabilities.types[kind]
        if before is None or before == after or name in own:
            continue
        for table in (LEADS.observations, LEADS.periods):
            engine.execute(
                fill(
                    "ALTER TABLE {table} ALTER COLUMN {column} SET DATA TYPE {type} USING NULL",
                    table=table, column=column, type=Sql(after),
                )
            )  # fmt: skip
        engine.execute(
            "INSERT INTO touched SELECT DISTINCT i.lead FROM facts f JOIN ids i ON i.key = f._key "
            "WHERE f.attribute = ?",
            [name],
        )


def forget_provider(engine: Engine, spec: EnrichSpec | None, provider: str) -> tuple[int, tuple[str, ...]]:
    """Remove all that a provider has said; return how many facts, and what was asked of it."""
    with engine.transaction():
        engine.execute("CREATE TEMP TABLE touched (lead INTEGER)")
        engine.execute(
            "INSERT INTO touched SELECT DISTINCT i.lead FROM lookups l JOIN ids i ON i.key = l._key "
            "WHERE l.provider = ?",
            [provider],
        )
        subjects = engine.rows("SELECT DISTINCT subject FROM lookups WHERE provider = ? ORDER BY 1", [provider])
        count = engine.rows("SELECT count(*) FROM facts WHERE provider = ?", [provider])[0][0]
        for table in ("facts", "lookups"):
            engine.execute(fill("DELETE FROM {table} WHERE provider = ?", table=table), [provider])
        settle(engine, spec)
        engine.execute("DROP TABLE touched")
    return int(count), tuple(str(subject) for (subject,) in subjects if subject is not None)
