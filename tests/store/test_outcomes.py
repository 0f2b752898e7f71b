"""A file says what it knows of the leads in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.store.outcomes import load_outcomes
from leadlight.store.staged import Counts, Staged

Stage = Callable[..., Staged]
ROLES = ["lead", "at", "outcome", "value"]
MAY, JUNE = datetime(2025, 5, 1), datetime(2025, 6, 1)


@pytest.fixture
def tell(store: DuckDBEngine, stage: Stage) -> Callable[..., Counts]:
    def told(rows: Sequence[Sequence[Any]], *, file: str = "deals.csv", roles: Sequence[str] = ROLES) -> Counts:
        return load_outcomes(store, stage("deals", roles, {}, rows, file=file), name="stage", type_=Type.TEXT)

    return told


def outcomes(store: DuckDBEngine) -> list[tuple[Any, ...]]:
    return store.rows(
        'SELECT id, o."at", outcome, value FROM outcomes o JOIN ids i ON i.key = o.lead ORDER BY 1, 2, 3, 4'
    )


def test_a_deal_that_was_open_and_is_now_won(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    tell([("a", None, "open", None), ("b", MAY, "lost", None)])
    counts = tell([("a", JUNE, "won", 100.0), ("b", MAY, "lost", None)])
    assert (counts.new, counts.changed, counts.unchanged) == (0, 1, 1)
    assert outcomes(store) == [("a", JUNE, "won", 100.0), ("b", MAY, "lost", None)]


def test_leads_that_a_file_no_longer_mentions_keep_theirs(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    tell([("a", MAY, "won", 1.0)])
    counts = tell([("b", JUNE, "won", 2.0)])
    assert (counts.new, counts.changed) == (1, 0)
    assert outcomes(store) == [("a", MAY, "won", 1.0), ("b", JUNE, "won", 2.0)]


def test_another_file_takes_nothing_away(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    tell([("a", MAY, "lost", None)], file="may.csv")
    tell([("a", JUNE, "won", 5.0)], file="june.csv")
    assert outcomes(store) == [("a", MAY, "lost", None), ("a", JUNE, "won", 5.0)]


def test_the_same_deal_in_two_files_is_one(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    tell([("a", MAY, "won", 5.0)], file="may.csv")
    counts = tell([("a", MAY, "won", 5.0)], file="all.csv")
    assert (counts.new, counts.unchanged) == (0, 1)
    assert outcomes(store) == [("a", MAY, "won", 5.0)]


def test_two_like_deals_in_one_file_are_two(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    for expected in (2, 0):
        assert tell([("a", MAY, "won", 5.0), ("a", MAY, "won", 5.0)]).new == expected
    assert outcomes(store) == [("a", MAY, "won", 5.0)] * 2
    tell([("a", MAY, "won", 5.0)])
    assert outcomes(store) == [("a", MAY, "won", 5.0)]


def test_a_message_id_names_the_deal(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    roles = [*ROLES, "message_id"]
    tell([("a", None, "open", None, "d1"), ("a", MAY, "won", 1.0, "d2")], roles=roles)
    counts = tell([("a", JUNE, "won", 9.0, "d1")], roles=roles, file="june.csv")
    assert (counts.new, counts.changed) == (0, 1)
    assert outcomes(store) == [("a", MAY, "won", 1.0), ("a", JUNE, "won", 9.0)]


def test_without_times_and_values(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    assert tell([("a", "1"), ("b", "0")], roles=["lead", "outcome"]).new == 2
    assert outcomes(store) == [("a", None, "1", None), ("b", None, "0", None)]


def test_blank_outcomes_are_none(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    assert tell([("a", MAY, None, 1.0), (None, MAY, "won", 1.0)]).new == 0
    assert outcomes(store) == []
