"""What is known of some leads as of a moment: every value, their accounts' too, and since when they are so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.store.history import ACCOUNTS, LEADS, History, value_columns
from leadlight.store.schema import BEGINNING
from leadlight.store.speakers import OURS
from leadlight.store.sql import Sql, each, fill, joined, literal, more


def known(engine: Engine, leads: Iterable[int], moment: datetime) -> pa.Table:
    """Return a row for each of the leads that exists: lead, account, and a column for each attribute.

    Attributes of accounts are there under their names where leads have none of that name.
    """
    own = value_columns(engine, LEADS)
    theirs = [name for name in value_columns(engine, ACCOUNTS) if name not in own]
    with asked_leads(engine, leads):
        return engine.arrow(
            fill(
                "SELECT l.lead{own}{theirs} FROM leads l "
                "LEFT JOIN attributes a ON a.lead = l.lead AND a.known_at <= $1 AND $1 < a.known_until "
                "LEFT JOIN account_attributes c ON c.account = a.account AND c.known_at <= $1 AND $1 < c.known_until "
                "WHERE l.lead IN (SELECT lead FROM asked_leads) AND l.created_at <= $1 ORDER BY l.lead",
                own=more(each("a.{name}", own)),
                theirs=more(each("c.{name}", theirs)),
            ),
            [moment],
        )


def since(engine: Engine, leads: Iterable[int], names: Iterable[str], moment: datetime) -> pa.Table:
    """Return since when each lead's values of these attributes are, all together, what they are at a moment.

    Columns: lead, known_at; that is the beginning of time (`facts.SINCE_CREATION`) where they
    are since the lead exists.
    """
    wanted = list(names)
    own = [name for name in value_columns(engine, LEADS) if name in wanted]
    theirs = [name for name in value_columns(engine, ACCOUNTS) if name in wanted and name not in own]
    own += ["account"] if theirs and "account" not in own else []
    with asked_leads(engine, leads):
        return engine.arrow(
            fill(
                "WITH now AS (SELECT lead, max(account) FILTER (known_until > $1) AS account FROM attributes "
                "WHERE lead IN (SELECT lead FROM asked_leads) AND known_at <= $1 GROUP BY lead), "
                "own AS ({own}), theirs AS ({theirs}) "
                "SELECT l.lead, CASE WHEN greatest(o.changed, t.changed) > l.created_at "
                "THEN greatest(o.changed, t.changed) ELSE {beginning} END AS known_at FROM leads l "
                "LEFT JOIN now n ON n.lead = l.lead LEFT JOIN own o ON o.lead = l.lead "
                "LEFT JOIN theirs t ON t.account = n.account "
                "WHERE l.lead IN (SELECT lead FROM asked_leads) ORDER BY l.lead",
                own=_changes(LEADS, own, Sql("SELECT lead FROM asked_leads")),
                theirs=_changes(ACCOUNTS, theirs, Sql("SELECT account FROM now")),
                beginning=Sql(f"TIMESTAMP '{BEGINNING}'"),
            ),
            [moment],
        )


def _changes(history: History, names: list[str], owners: Sql) -> Sql:
    """Return the query of when some of these values last changed, by owner; the first one counts as a change."""
    differs = joined(
        (fill("{name} IS DISTINCT FROM lag({name}) OVER w", name=name) for name in names), " OR "
    ) if names else Sql("false")  # fmt: skip
    return fill(
        "SELECT {owner}, max(known_at) FILTER (differs) AS changed "
        "FROM (SELECT {owner}, known_at, {differs} AS differs FROM {periods} "
        "WHERE known_at <= $1 AND {owner} IN ({owners}) WINDOW w AS (PARTITION BY {owner} ORDER BY known_at)) "
        "GROUP BY {owner}",
        owner=history.owner,
        periods=history.periods,
        owners=owners,
        differs=differs,
    )


@contextmanager
def asked_leads(engine: Engine, leads: Iterable[int]) -> Iterator[None]:
    engine.register("asked_leads", pa.table({"lead": pa.array(list(leads), pa.int32())}))
    try:
        yield
    finally:
        engine.unregister("asked_leads")


def own_values(engine: Engine, lead: int, moment: datetime) -> pa.Table:
    """Return what each source of the user's own says of one lead as of a moment, value by value, the newest first.

    Columns: attribute, value (as text), source, since (the moment at which the source began to say it).
    """
    kinds, names = engine.columns(LEADS.observations), value_columns(engine, LEADS)
    return engine.arrow(
        fill(
            """
            WITH rows AS (
                SELECT o._source, {identity} AS _identity, {moment} AS _at, [{labels}] AS _labels, [{values}] AS _values
                FROM observations o {context}
                WHERE o.lead = $1 AND {moment} <= $2 AND o._source NOT IN {ours}
                QUALIFY row_number() OVER (PARTITION BY o._source, {identity}, {moment}
                                           ORDER BY o.known_at DESC NULLS LAST) = 1
            ), told AS (
                SELECT _source, _identity, _at, unnest(_labels) AS attribute, unnest(_values) AS value FROM rows
            ), marked AS (
                SELECT *, CASE WHEN value IS DISTINCT FROM lag(value) OVER w THEN _at END AS changed FROM told
                WINDOW w AS (PARTITION BY attribute, _source, _identity ORDER BY _at)
            ), dated AS (
                SELECT *, max(changed) OVER w AS since, lead(_at) OVER w IS NULL AS is_last FROM marked
                WINDOW w AS (PARTITION BY attribute, _source, _identity ORDER BY _at)
            )
            SELECT attribute, value, _source AS source, since FROM dated WHERE is_last AND value IS NOT NULL
            ORDER BY attribute, since DESC, _source DESC, _identity DESC
            """,
            identity=LEADS.identity,
            moment=LEADS.moment,
            context=LEADS.context,
            labels=joined(literal(name) for name in names),
            values=joined(_text(name, kinds[name]) for name in names),
            ours=OURS,
        ),
        [lead, moment],
    )


def _text(name: str, kind: str) -> Sql:
    """Return the text that stands for a value: whole numbers without a point."""
    whole = "regexp_replace(o.{name}::VARCHAR, '\\.0$', '')"
    return fill(whole if kind == "DOUBLE" else "o.{name}::VARCHAR", name=name)
