"""What stands between many leads and the next question: answers that still hold, and values of the user's own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.store.history import LEADS, value_columns
from leadlight.store.known import asked_leads
from leadlight.store.speakers import OURS
from leadlight.store.sql import each, fill, more


def standing(engine: Engine, leads: Iterable[int], now: datetime) -> pa.Table:
    """Return how each lead's last question to each provider ended, where that still holds, with what was said.

    Columns: lead, provider, subject, outcome, attribute, value (canonical text), confidence: a row for each fact, or
    one whose attribute is null.
    """
    with asked_leads(engine, leads):
        return engine.arrow(
            "WITH newest AS (SELECT i.lead, l._key, l.provider, l.subject, l.outcome, l.known_at, l.until "
            "FROM lookups l JOIN ids i ON i.key = l._key WHERE i.lead IN (SELECT lead FROM asked_leads) "
            "QUALIFY row_number() OVER (PARTITION BY i.lead, l.provider ORDER BY l.recorded_at DESC, l.known_at DESC, "
            "l._key) = 1), last AS (SELECT * FROM newest WHERE until > $1) "
            "SELECT a.lead, a.provider, a.subject, a.outcome, f.attribute, f.value, f.confidence FROM last a "
            "LEFT JOIN facts f ON f._key = a._key AND f.provider = a.provider AND f.known_at = a.known_at "
            "AND a.outcome = 'found' ORDER BY 1, 2, 5",
            [now],
        )


def owned(engine: Engine, leads: Iterable[int], now: datetime) -> pa.Table:
    """Return of which attributes the user's own sources say something: lead, and a truth value for each attribute."""
    names = value_columns(engine, LEADS)
    with asked_leads(engine, leads):
        return engine.arrow(
            fill(
                "WITH said AS (SELECT * FROM observations WHERE lead IN (SELECT lead FROM asked_leads) "
                "AND _source NOT IN {ours} AND (known_at IS NULL OR known_at <= $1) QUALIFY row_number() OVER "
                "(PARTITION BY _source, _key ORDER BY known_at DESC NULLS LAST) = 1) "
                "SELECT lead{names} FROM said GROUP BY lead ORDER BY lead",
                ours=OURS,
                names=more(each("bool_or({name} IS NOT NULL) AS {name}", names)),
            ),
            [now],
        )


def due(engine: Engine, after: datetime, until: datetime) -> tuple[int, ...]:
    """Return the leads that may have to be looked up since a moment (which does not count itself) until another.

    Those of whom the user's own sources said something new when they were read, and those of whom an answer has ended.
    """
    found = engine.rows(
        fill(
            "SELECT lead FROM observations WHERE _read_at > $1 AND _read_at <= $2 AND _source NOT IN {ours} "
            "UNION SELECT i.lead FROM lookups l JOIN ids i ON i.key = l._key WHERE until > $1 AND until <= $2 "
            "ORDER BY 1",
            ours=OURS,
        ),
        [after, until],
    )
    return tuple(lead for (lead,) in found)


def read_at(engine: Engine, moment: datetime) -> tuple[int, ...]:
    """Return the leads of whom the user's own sources said something new when they were read at a moment."""
    found = engine.rows(
        fill(
            "SELECT DISTINCT lead FROM observations WHERE _read_at = $1 AND _source NOT IN {ours} ORDER BY 1", ours=OURS
        ),
        [moment],
    )
    return tuple(lead for (lead,) in found)
