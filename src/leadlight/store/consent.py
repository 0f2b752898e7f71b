"""Whose events count, by what people said: each event that needs a yes is held against what was said last before it.

By the times of events and words, not of arrival: a word that comes late sets aside what came after it, or brings it
back. All ids of a lead speak for the lead.
"""

from __future__ import annotations

from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.spec.consent import ConsentSpec
from leadlight.store.schema import FOREVER
from leadlight.store.set_aside import put_aside, take_back
from leadlight.store.sql import Sql, fill, joined, literal

CONSENT = "consent"
"""Who sets aside, and the reason."""


def settle_consent(engine: Engine, spec: ConsentSpec | None, whom: Sql, *, at: datetime) -> int:
    """Set aside and take back the events of some leads, as they have consented; returns how many changed sides.

    `whom` is a query of leads. Without a spec, all that was set aside for it comes back.
    """
    if spec is None:
        return take_back(engine, _aside(whom, Sql("FALSE")))
    engine.execute(fill("CREATE TEMP TABLE asked AS SELECT DISTINCT lead FROM ({whom}) w", whom=whom))
    whom = Sql("SELECT lead FROM asked")
    engine.execute(fill("CREATE TEMP TABLE said_of_consent AS {said}", said=_said(whom)))
    wanting = [_wanting(spec, purpose, whom) for purpose in spec.purposes]
    engine.execute(
        fill("CREATE TEMP TABLE wanting AS SELECT DISTINCT _source, _key, lead, aside FROM ({wanting}) w",
             wanting=joined(wanting, " UNION ALL "))
    )  # fmt: skip
    moved = take_back(engine, _aside(whom, Sql(_STILL)))
    moved += put_aside(
        engine,
        Sql(
            "SELECT _source, _key, lead, 'consent' AS reason FROM wanting w WHERE NOT aside AND NOT EXISTS "
            "(SELECT 1 FROM judgements j WHERE j._key = w._key AND j._source = w._source)"
        ),
        by=CONSENT,
        at=at,
    )
    for table in ("asked", "said_of_consent", "wanting"):
        engine.execute(fill("DROP TABLE {table}", table=table))
    return moved


_STILL = "EXISTS (SELECT 1 FROM wanting w WHERE w._key = a._key AND w._source = a._source)"


def _aside(whom: Sql, still: Sql) -> Sql:
    """Return the query of what was set aside for consent and is not `still`."""
    return fill(
        "SELECT a._source, a._key FROM set_aside a WHERE a._aside_by = {consent} "
        "AND a.lead IN ({whom}) AND NOT {still}",
        consent=literal(CONSENT), whom=whom, still=still,
    )  # fmt: skip


def _said(whom: Sql) -> Sql:
    """Return the query of (lead, purpose, low, high, given, last): what holds from when to when, and in the end."""
    return fill(
        'SELECT lead, purpose, "at" AS low, coalesce(lead("at") OVER w, {forever}) AS high, given, '
        "last_value(given) OVER (PARTITION BY lead, purpose ORDER BY \"at\" "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last FROM ("
        'SELECT i.lead, c.purpose, c."at", arg_max(c.given, c.message) AS given FROM consents c '
        "JOIN ids i ON i.key = c._said_of WHERE i.lead IN ({whom}) GROUP BY ALL) s "
        'WINDOW w AS (PARTITION BY lead, purpose ORDER BY "at")',
        forever=Sql(f"TIMESTAMP '{FOREVER}'"), whom=whom,
    )  # fmt: skip


def withheld(spec: ConsentSpec | None, whom: Sql) -> Sql:
    """Return the condition under which all that is rolled up in a row `r` would be set aside, by what its lead said.

    `whom` is a query of leads, that of the rows among them. Where some of a row's events would be and some not, it
    cannot be told how many, and the row counts.
    """
    if spec is None:
        return Sql("FALSE")
    return joined([_withheld(spec, purpose, whom) for purpose in spec.purposes] or [Sql("FALSE")], " OR ")


def _withheld(spec: ConsentSpec, purpose: str, whom: Sql) -> Sql:
    said = fill("SELECT 1 FROM ({said}) s WHERE s.lead = r.lead AND s.purpose = {purpose}",
                said=_said(whom), purpose=literal(purpose))  # fmt: skip
    refused = "NOT s.given AND s.low <= r.first_at AND r.last_at < s.high"
    wanting = [fill("EXISTS ({said} AND ({refused}))", said=said,
                    refused=Sql(f"{refused} OR NOT s.last" if spec.retroactive else refused))]  # fmt: skip
    if spec.unsaid == "set_aside":
        wanting.append(fill("NOT EXISTS ({said} AND s.low <= r.last_at)", said=said))
    return fill(
        "(r._source IN ({sources}) AND {needed} AND ({wanting}))",
        sources=joined([literal(source) for source in spec.sources]), needed=_needed(spec, purpose, "r.type"),
        wanting=joined(wanting, " OR "),
    )  # fmt: skip


def _needed(spec: ConsentSpec, purpose: str, type_: str) -> Sql:
    """Return the condition for types that need a purpose."""
    types = spec.purposes[purpose]
    return Sql("TRUE" if types == "all" else f"{type_} IN ({', '.join(literal(name) for name in types)})")


def _wanting(spec: ConsentSpec, purpose: str, whom: Sql) -> Sql:
    """Return the query of events that need this purpose and lack it."""
    missing = "s.given IS NULL" if spec.unsaid == "set_aside" else "FALSE"
    refused = "NOT s.given OR NOT l.last" if spec.retroactive else "NOT s.given"
    parts = [
        fill(
            "SELECT e._source, e._key, e.lead, {aside} AS aside FROM "
            "(SELECT _source, _key, lead, type::VARCHAR AS type, "
            '"at" FROM {table} WHERE lead IN ({whom}) AND {ours}) e '
            "LEFT JOIN said_of_consent s ON s.lead = e.lead AND s.purpose = {purpose} "
            'AND e."at" >= s.low AND e."at" < s.high '
            "LEFT JOIN (SELECT DISTINCT lead, last FROM said_of_consent WHERE purpose = {purpose}) l "
            "ON l.lead = e.lead "
            "WHERE e._source IN ({sources}) AND {needed} AND ({missing} OR {refused})",
            aside=Sql(aside), table=table, whom=whom, ours=Sql(ours), purpose=literal(purpose),
            sources=joined([literal(source) for source in spec.sources]), needed=_needed(spec, purpose, "e.type"),
            missing=Sql(missing), refused=Sql(refused),
        )
        for table, aside, ours in (
            ("events", "FALSE", "TRUE"), ("set_aside", "TRUE", f"_aside_by = {literal(CONSENT)}"),
        )
    ]  # fmt: skip
    return joined(parts, " UNION ALL ")
