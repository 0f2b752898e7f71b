"""A change of the store outside a reading: whoever is touched gets what follows from it, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from leadlight.engines.base import Engine
from leadlight.spec.enrich import EnrichSpec
from leadlight.store import facts
from leadlight.store.history import ACCOUNTS
from leadlight.store.leads import refresh_leads, touch_undated
from leadlight.store.periods import rebuild
from leadlight.store.sql import Sql
from leadlight.store.unscored import note_unscored

TABLES = ("touched", "touched_accounts")


@contextmanager
def changing(engine: Engine, enrich: EnrichSpec | None) -> Iterator[None]:
    """Make what is done inside one transaction: `touched` leads get their rows and periods anew at its end.

    Where the service keeps who is to be scored again, they are noted there.
    """
    with engine.transaction():
        engine.execute("CREATE TEMP TABLE touched (lead INTEGER)")
        engine.execute("CREATE TEMP TABLE touched_accounts (account VARCHAR)")
        yield
        settle_touched(engine, enrich)
        for table in TABLES:
            engine.execute(f"DROP TABLE {table}")


def settle_touched(engine: Engine, enrich: EnrichSpec | None) -> None:
    """Make again what follows for the leads in `touched`."""
    touch_undated(engine)
    if engine.rows("SELECT 1 FROM touched LIMIT 1"):
        refresh_leads(engine)
        facts.settle(engine, enrich)
        note_unscored(engine, Sql("SELECT lead FROM touched"))
    rebuild(engine, ACCOUNTS)
