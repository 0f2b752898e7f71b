"""A word of warning where a score is asked for as of a moment that the store knows little of."""

from __future__ import annotations

from datetime import datetime, timedelta

from leadlight.engines.base import Engine
from leadlight.spec.entity import many
from leadlight.store.archive import complete_since

PATIENCE = timedelta(days=60)
"""For so long there may be no event before it is pointed out."""


def staleness(engine: Engine, as_of: datetime) -> tuple[str, ...]:
    """Say so where the newest event is far older than the as-of, or events of that time were taken out; else nothing.

    Windows are empty then and what decays is gone: an export of former days is best scored as of its own day.
    """
    floor = complete_since(engine)
    if floor is not None and as_of < floor:
        return (f"events that counted before {floor:%Y-%m-%d} were taken out of the store (`leadlight retain`): "
                "scores as of then lack them",)  # fmt: skip
    newest: datetime | None = engine.rows('SELECT max("at") FROM events WHERE "at" <= ?', [as_of])[0][0]
    if newest is None or as_of - newest <= PATIENCE:
        return ()
    day = newest + timedelta(days=1)
    age = many((as_of - newest).days, "day")
    return (f"the newest event is of {newest:%Y-%m-%d}, {age} before the as-of: did you mean --as-of {day:%Y-%m-%d}?",)
