"""Who is to be scored again, where a service keeps that: whatever changes the store notes there whom it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadlight.engines.base import Engine
from leadlight.store.sql import Sql, fill

TABLE = "live_unscored"
"""The service's table of (lead, account); a store that was never served has none, and notes nothing."""


def note_unscored(engine: Engine, leads: Sql, parameters: Sequence[Any] = ()) -> None:
    """Note the leads of a query (its column `lead`), each once; call it in the transaction that changes them."""
    if is_kept(engine):
        engine.execute(
            fill(
                "INSERT INTO {table} SELECT DISTINCT lead, NULL::VARCHAR FROM ({leads}) t WHERE lead NOT IN "
                "(SELECT lead FROM {table} WHERE lead IS NOT NULL)",
                table=TABLE,
                leads=leads,
            ),
            parameters,
        )


def note_unscored_accounts(engine: Engine, accounts: Sql) -> None:
    """Note the accounts of a query (its column `account`)."""
    if is_kept(engine):
        engine.execute(
            fill(
                "INSERT INTO {table} SELECT DISTINCT NULL::INTEGER, account FROM ({accounts}) t",
                table=TABLE,
                accounts=accounts,
            )
        )


def is_kept(engine: Engine) -> bool:
    """Return whether anybody wants to know."""
    return TABLE in engine.tables()
