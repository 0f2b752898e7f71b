"""How well providers know leads: of how many they say something, whether others say the same, and how old it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.store import names
from leadlight.store.sql import Sql, fill, joined, literal


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one provider says of one attribute, as of a moment."""

    provider: str
    attribute: str
    known: int
    """Leads of whom it says what the attribute is."""
    total: int
    """Leads there are."""
    rivals: int
    """Leads of whom another provider says what it is, too."""
    agree: int
    """Leads of whom all these say the same (texts compared in lower case)."""
    used: int
    """Leads of whom its value is the one that is used."""
    age_days: float
    """The days since it was fetched, the median."""


_ANSWERS = """
    WITH last AS (
        SELECT i.lead, l._key, l.provider, l.known_at, l.fetched_at FROM lookups l JOIN ids i ON i.key = l._key
        JOIN leads e ON e.lead = i.lead AND e.created_at <= $1
        WHERE l.outcome <> 'failed' AND l.known_at <= $1
        QUALIFY row_number() OVER (PARTITION BY i.lead, l.provider
                                   ORDER BY l.known_at DESC, l.fetched_at DESC, l._key) = 1
    ), said AS (
        SELECT a.lead, a.provider, f.attribute, f.value, date_diff('second', a.fetched_at, $1) / 86400.0 AS age
        FROM last a JOIN facts f ON f._key = a._key AND f.provider = a.provider AND f.known_at = a.known_at
        WHERE f.value IS NOT NULL
    ), sided AS (
        SELECT *, count(*) OVER w > 1 AS rivalled,
            count(*) OVER w > 1 AND min(lower(value)) OVER w = max(lower(value)) OVER w AS agreed
        FROM said WINDOW w AS (PARTITION BY lead, attribute)
    )
"""


def coverage(engine: Engine, as_of: datetime) -> tuple[Coverage, ...]:
    """Return what each provider says of each attribute, as of a moment; the providers by name.

    Nothing where nobody was asked.
    """
    attributes = [str(name) for (name,) in engine.rows("SELECT DISTINCT attribute FROM facts ORDER BY 1")]
    if not attributes:
        return ()
    total = int(engine.rows("SELECT count(*) FROM leads WHERE created_at <= ?", [as_of])[0][0])
    rows = engine.rows(
        fill(
            "{answers}, used AS ({used}) SELECT provider, attribute, count(*), count(*) FILTER (rivalled), "
            "count(*) FILTER (agreed), count(*) FILTER (u.lead IS NOT NULL), median(greatest(age, 0)) "
            "FROM sided LEFT JOIN used u USING (lead, provider, attribute) GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2",
            answers=Sql(_ANSWERS),
            used=_used(engine, attributes),
        ),
        [as_of],
    )
    return tuple(
        Coverage(provider, attribute, known, total, rivals, agree, used, float(age))
        for provider, attribute, known, rivals, agree, used, age in rows
    )


def _used(engine: Engine, attributes: list[str]) -> Sql:
    """Return the query of the answers whose value is what the lead has."""
    types = names.known_types(engine, "attribute")
    parts = [
        fill(
            "SELECT s.lead, s.provider, s.attribute FROM said s JOIN attributes a ON a.lead = s.lead "
            "AND a.known_at <= $1 AND a.known_until > $1 WHERE s.attribute = {attribute} AND a.{name} = {value}",
            attribute=literal(name),
            name=name,
            value=_read(types[name], engine),
        )
        for name in attributes
        if name in types
    ]
    nobody = Sql("SELECT s.lead, s.provider, s.attribute FROM said s WHERE false")
    return joined(parts or [nobody], " UNION ALL ")


def _read(kind: Type, engine: Engine) -> Sql:
    return Sql("s.value") if kind is Type.TEXT else fill(
        "try_cast(s.value AS {kind})", kind=Sql(engine.capabilities.types[kind])
    )  # fmt: skip
