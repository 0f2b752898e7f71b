"""Which of several answers is used: by each attribute's stated rule, as of every moment, for many leads at once.

As of a moment, a provider says of a lead what its newest answer says (of two answers about merged ids at the same
moment: that fetched last, then that about the smaller number). Where one answer holds several values of an attribute,
the surest is what it says (then the first by the alphabet). Values less sure than `at_least` do not count. Of the rest

    order       that of the provider who stands first in `ask`
    confidence  the surest
    newest      the one fetched last
    majority    the one that most providers give (texts compared in lower case), as the first of them writes it

is used; where that leaves several, that of the provider who stands first in `ask`. Where no waterfall is told for an
attribute, `ask` is that of `enrich:`, and providers that are no longer in it come after it, by name; where one is told,
providers that are not in it do not count.

What is used is a function of the answers and of the rules as they stand, nothing else: a rule that is changed holds for
the past too, like a feature that is defined anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.spec.enrich import EnrichSpec, WaterfallSpec
from leadlight.store.history import LEADS, value_columns
from leadlight.store.schema import BEGINNING, FOREVER
from leadlight.store.speakers import FILL, OURS, PREFER
from leadlight.store.sql import Sql, fill, literal, more

NOBODY = "nobody"
"""Who is asked where nobody is: a list must not be empty."""

_FOREVER = Sql(f"TIMESTAMP '{FOREVER}'")
_BEGINNING = Sql(f"TIMESTAMP '{BEGINNING}'")


def touch_changed_rules(engine: Engine, spec: EnrichSpec) -> None:
    """Add to `touched` the leads with facts of an attribute whose rule is another than when they were chosen."""
    told = _rules(engine)
    changed = {name: rule for name, before in told.items() if before != (rule := _told(spec, name))}
    if not changed:
        return
    engine.execute(
        "INSERT INTO touched SELECT DISTINCT i.lead FROM facts f JOIN ids i ON i.key = f._key "
        "WHERE list_contains(?::VARCHAR[], f.attribute)",
        [list(changed)],
    )
    for name, rule in changed.items():
        engine.execute("UPDATE choices SET rule = ? WHERE attribute = ?", [rule, name])


def note_attributes(engine: Engine, spec: EnrichSpec, attributes: Iterable[str]) -> bool:
    """Note by which rule is chosen of these attributes, of which there are facts now; true when one is new."""
    told = _rules(engine)
    new = [name for name in attributes if name not in told]
    for name in new:
        engine.execute("INSERT INTO choices VALUES (?, ?)", [name, _told(spec, name)])
    return bool(new)


def _rules(engine: Engine) -> dict[str, str]:
    """Return the attributes of which there are facts, each with the rule by which was chosen last."""
    return {str(name): str(rule) for name, rule in engine.rows("SELECT attribute, rule FROM choices ORDER BY 1")}


def rules_before(engine: Engine) -> EnrichSpec:
    """Return the rules by which was chosen last, for when leadlight.yaml no longer says any."""
    told = {name: json.loads(rule) for name, rule in _rules(engine).items()}
    alone = {name: rule.pop("alone") for name, rule in told.items()}
    asks = [rule["ask"] for name, rule in told.items() if not alone[name]]
    attributes: dict[str, list[str] | WaterfallSpec] = {
        name: WaterfallSpec(**rule) for name, rule in told.items() if alone[name]
    }
    return EnrichSpec(ask=asks[0] if asks and asks[0] != [NOBODY] else [], attributes=attributes)


def _told(spec: EnrichSpec, attribute: str) -> str:
    """Return all that decides about an attribute, as one text."""
    waterfall = spec.waterfall(attribute, list(spec.ask) or [NOBODY])
    return json.dumps({**waterfall.model_dump(mode="json"), "alone": attribute in spec.attributes})


def choose(engine: Engine, spec: EnrichSpec) -> None:
    """Make the observations of what is used again, for the leads in `touched` about whom somebody was asked."""
    engine.execute(
        fill(
            "CREATE TEMP TABLE choosing AS SELECT i.lead FROM lookups l JOIN ids i ON i.key = l._key "
            "WHERE i.lead IN (SELECT lead FROM touched) UNION SELECT lead FROM observations "
            "WHERE _source IN {ours} AND lead IN (SELECT lead FROM touched)",
            ours=OURS,
        )
    )
    if engine.rows("SELECT count(*) FROM choosing")[0][0]:
        engine.execute(
            fill("DELETE FROM observations WHERE _source IN {ours} AND lead IN (SELECT lead FROM choosing)", ours=OURS)
        )
        _register_rules(engine, spec)
        _gather_stated(engine)
        _gather_runs(engine)
        for speaker, preferred in ((FILL, "fill"), (PREFER, "prefer")):
            _observe(engine, spec, speaker, preferred)
        for table in ("stated", "runs"):
            engine.execute(fill("DROP TABLE {table}", table=table))
        for table in ("choice_rules", "choice_ranks"):
            engine.unregister(table)
    engine.execute("DROP TABLE choosing")


def _register_rules(engine: Engine, spec: EnrichSpec) -> None:
    """Make `choice_rules` (attribute, rule, at_least) and `choice_ranks` (attribute, provider, place) readable."""
    found = engine.rows(
        "SELECT DISTINCT l.provider FROM lookups l JOIN ids i ON i.key = l._key "
        "WHERE i.lead IN (SELECT lead FROM choosing) ORDER BY 1"
    )
    providers, attributes = [str(name) for (name,) in found], list(_rules(engine))
    waterfalls = {name: waterfall_of(spec, name, providers) for name in attributes}
    rules = [(name, waterfall.rule, waterfall.at_least) for name, waterfall in waterfalls.items()]
    ranks = [(name, provider, place) for name, told in waterfalls.items() for place, provider in _places(told)]
    engine.register("choice_rules", _table(rules, [pa.string(), pa.string(), pa.float64()], "attribute rule at_least"))
    engine.register("choice_ranks", _table(ranks, [pa.string(), pa.string(), pa.int32()], "attribute provider place"))


def waterfall_of(spec: EnrichSpec, attribute: str, providers: Iterable[str]) -> WaterfallSpec:
    """Return the rule of an attribute, where these providers have said something."""
    return spec.waterfall(attribute, [*spec.ask, *(name for name in providers if name not in spec.ask)] or [NOBODY])


def _places(waterfall: WaterfallSpec) -> list[tuple[int, str]]:
    return list(enumerate(dict.fromkeys(waterfall.ask)))


def _table(rows: Sequence[tuple[object, ...]], types: list[pa.DataType], names: str) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, types, strict=True)], names=names.split())


def _gather_stated(engine: Engine) -> None:
    """Make `stated`: what each provider said of a lead's attribute, from which moment until which."""
    engine.execute(
        fill(
            """
            CREATE TEMP TABLE stated AS WITH said AS (
                SELECT i.lead, l.provider, l._key, l.known_at AS moment, l.fetched_at
                FROM lookups l JOIN ids i ON i.key = l._key
                WHERE l.outcome <> 'failed' AND i.lead IN (SELECT lead FROM choosing)
                QUALIFY row_number() OVER (PARTITION BY i.lead, l.provider, l.known_at
                                           ORDER BY l.fetched_at DESC, l._key) = 1
            ), answers AS (
                SELECT *, lead(moment, 1, {forever}) OVER (PARTITION BY lead, provider ORDER BY moment) AS ends
                FROM said
            )
            SELECT a.lead, f.attribute, a.provider, a.moment, a.ends, f.value, f.confidence, a.fetched_at,
                r.rule, k.place
            FROM answers a
            JOIN facts f ON f._key = a._key AND f.provider = a.provider AND f.known_at = a.moment
            JOIN choice_rules r ON r.attribute = f.attribute
            JOIN choice_ranks k ON k.attribute = f.attribute AND k.provider = f.provider
            WHERE f.confidence >= r.at_least AND f.value IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY a.lead, f.attribute, a.provider, a.moment
                                       ORDER BY f.confidence DESC, f.value) = 1
            """,
            forever=_FOREVER,
        )
    )


def _gather_runs(engine: Engine) -> None:
    """Make `runs`: which value of a lead's attribute is used, from which moment until which; null for none."""
    engine.execute(
        fill(
            """
            CREATE TEMP TABLE runs AS WITH moments AS (
                SELECT lead, attribute, moment FROM stated
                UNION SELECT lead, attribute, ends FROM stated WHERE ends < {forever}
            ), standing AS (
                SELECT m.lead, m.attribute, m.moment, s.value, s.place, CASE s.rule
                    WHEN 'confidence' THEN s.confidence
                    WHEN 'newest' THEN epoch_us(s.fetched_at)
                    WHEN 'majority' THEN count(*) OVER (PARTITION BY m.lead, m.attribute, m.moment, lower(s.value))
                    ELSE 0 END AS weight
                FROM moments m JOIN stated s ON s.lead = m.lead AND s.attribute = m.attribute
                AND s.moment <= m.moment AND m.moment < s.ends
            ), best AS (
                SELECT lead, attribute, moment, value FROM standing
                QUALIFY row_number() OVER (PARTITION BY lead, attribute, moment ORDER BY weight DESC, place) = 1
            ), settled AS (
                SELECT m.lead, m.attribute, m.moment, b.value FROM moments m LEFT JOIN best b
                ON b.lead = m.lead AND b.attribute = m.attribute AND b.moment = m.moment
            ), compared AS (
                SELECT *, lag(value) OVER (PARTITION BY lead, attribute ORDER BY moment) AS before FROM settled
            )
            SELECT lead, attribute, moment, value,
                lead(moment, 1, {forever}) OVER (PARTITION BY lead, attribute ORDER BY moment) AS ends
            FROM compared WHERE value IS DISTINCT FROM before
            """,
            forever=_FOREVER,
        )
    )


def _observe(engine: Engine, spec: EnrichSpec, speaker: str, use: str) -> None:
    """Write what is used as observations of a speaker: a row per lead and moment at which some value changes."""
    columns = engine.columns("observations")
    values = set(value_columns(engine, LEADS))
    named = [name for name in _rules(engine) if name in values and _use(spec, name) == use]
    if not named:
        return
    engine.execute(
        fill(
            """
            INSERT INTO observations BY NAME
            WITH own AS (SELECT * FROM runs WHERE list_contains(?::VARCHAR[], attribute)),
            moments AS (SELECT DISTINCT lead, moment FROM own)
            SELECT m.lead, {speaker} AS _source, m.lead AS _key, nullif(m.moment, {beginning}) AS known_at,
                m.moment AS _read_at{values}
            FROM moments m JOIN own r ON r.lead = m.lead AND r.moment <= m.moment AND m.moment < r.ends
            GROUP BY m.lead, m.moment ORDER BY m.lead, m.moment
            """,
            speaker=literal(speaker),
            beginning=_BEGINNING,
            values=more(*(_value(name, columns[name]) for name in named)),
        ),
        [named],
    )


def _value(name: str, kind: str) -> Sql:
    return fill(
        "try_cast(max(r.value) FILTER (r.attribute = {attribute}) AS {kind}) AS {name}",
        attribute=literal(name),
        kind=Sql(kind),
        name=name,
    )


def _use(spec: EnrichSpec, attribute: str) -> str:
    told = spec.attributes.get(attribute)
    return told.use if isinstance(told, WaterfallSpec) else "fill"
