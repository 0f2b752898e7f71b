"""Attribute history: whatever the order in which sources speak, the periods are those of a plain-Python model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.store.accounts import load_accounts
from leadlight.store.attributes import load_leads
from leadlight.store.history import ACCOUNTS, LEADS, add_columns
from leadlight.store.leads import refresh_leads
from leadlight.store.open import open_store
from leadlight.store.periods import rebuild
from leadlight.store.staged import Staged

START = datetime(2025, 1, 1)
NOW = datetime(2026, 1, 1)
FOREVER = datetime(9999, 12, 31)
TABLES = ("observations", "attributes", "leads", "ids")
LEADS_IN_PLAY = ["a", "b", "c", "d", "e"]
COLUMNS = {"size": Type.NUMBER, "country": Type.TEXT}


@dataclass(frozen=True)
class Said:
    """A row of a source: who says what of which lead, since which day."""

    source: str
    lead: str
    day: int
    account: str | None
    size: float | None
    country: str | None

    @property
    def known_at(self) -> datetime:
        return START + timedelta(days=self.day)

    @property
    def values(self) -> tuple[object, ...]:
        return (self.account, self.size, self.country)


said = st.builds(
    Said,
    source=st.sampled_from(["crm", "web", "ads"]),
    lead=st.sampled_from(LEADS_IN_PLAY),
    day=st.integers(0, 8),
    account=st.sampled_from([None, "x", "y"]),
    size=st.sampled_from([None, 1.0, 2.0]),
    country=st.sampled_from([None, "de", "fr"]),
)
observations = st.lists(said, max_size=40, unique_by=lambda one: (one.source, one.lead, one.day))


def model_values(rows: Sequence[Said], lead: str, at: datetime) -> tuple[object, ...] | None:
    """The values of a lead as of a moment, by the words of the module `history`."""
    heard = [row for row in rows if row.lead == lead and row.known_at <= at]
    if not heard:
        return None
    result = []
    for column in range(3):
        candidates = []
        for source in {row.source for row in heard}:
            value, since = None, None
            for row in sorted((row for row in heard if row.source == source), key=lambda row: row.known_at):
                if row.values[column] != value:
                    value, since = row.values[column], row.known_at
            if value is not None:
                candidates.append((since, source, value))
        result.append(max(candidates, key=lambda one: one[:2])[2] if candidates else None)
    return tuple(result)


def model_periods(rows: Sequence[Said], lead: str) -> list[tuple[object, ...]]:
    periods: list[tuple[datetime, tuple[object, ...]]] = []
    for moment in sorted({row.known_at for row in rows if row.lead == lead}):
        values = model_values(rows, lead, moment)
        assert values is not None
        if not periods or periods[-1][1] != values:
            periods.append((moment, values))
    ends = [*[moment for moment, _ in periods[1:]], FOREVER][: len(periods)]
    return [(moment, end, *values) for (moment, values), end in zip(periods, ends, strict=True)]


@pytest.fixture(scope="module")
def shared() -> Iterator[DuckDBEngine]:
    """One store for all examples, emptied for each: making one takes longer than an example."""
    engine = open_store("duckdb::memory:", Path())
    engine.execute("CREATE TEMP TABLE touched (lead INTEGER)")
    engine.execute("SET threads = 1")
    add_columns(engine, LEADS, COLUMNS)
    yield engine
    engine.close()


def emptied(engine: DuckDBEngine) -> DuckDBEngine:
    for table in (*TABLES, "names"):
        engine.execute(f"DELETE FROM {table}")
    return engine


def tell(engine: DuckDBEngine, rows: Sequence[Said]) -> None:
    """Let the store hear these rows, which are all of one source, in one reading."""
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE told (_id VARCHAR, _known_at TIMESTAMP, _account VARCHAR, size DOUBLE, "
        "country VARCHAR, _place BIGINT)"
    )
    places = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(rows))
    cells = [cell for place, row in enumerate(rows) for cell in (row.lead, row.known_at, *row.values, place)]
    engine.execute(f"INSERT INTO told VALUES {places}", cells)
    staged = Staged(rows[0].source, "told", frozenset({"id", "known_at", "account"}), COLUMNS)
    load_leads(engine, staged, NOW)
    refresh_leads(engine)
    rebuild(engine, LEADS)
    engine.execute("DELETE FROM touched")


def periods(engine: DuckDBEngine, lead: str) -> list[tuple[object, ...]]:
    return engine.rows(
        "SELECT known_at, known_until, account, size, country FROM attributes JOIN ids USING (lead) WHERE id = ? "
        "ORDER BY known_at",
        [lead],
    )


@settings(max_examples=25, deadline=None)
@given(observations, st.data())
def test_any_order_of_reading_gives_the_periods_of_the_model(
    shared: DuckDBEngine, rows: list[Said], data: st.DataObject
) -> None:
    engine = emptied(shared)
    left = data.draw(st.permutations(rows))
    while left:
        source = left[0].source
        size = data.draw(st.integers(min(6, len(left)), len(left)))
        batch = [row for row in left[:size] if row.source == source]
        tell(engine, batch)
        left = [row for row in left if row not in batch]
    for lead in LEADS_IN_PLAY:
        assert periods(engine, lead) == model_periods(rows, lead)


@settings(max_examples=15, deadline=None)
@given(observations.filter(bool), st.integers(-1, 10), st.integers(0, 23))
def test_what_was_known_at_a_moment(shared: DuckDBEngine, rows: list[Said], day: int, hour: int) -> None:
    engine = emptied(shared)
    for source in sorted({row.source for row in rows}):
        tell(engine, [row for row in rows if row.source == source])
    moment = START + timedelta(days=day, hours=hour)
    for lead in LEADS_IN_PLAY:
        found = engine.rows(
            "SELECT account, size, country FROM attributes JOIN ids USING (lead) WHERE id = ? AND known_at <= ? "
            "AND ? < known_until",
            [lead, moment, moment],
        )
        assert (found[0] if found else None) == model_values(rows, lead, moment)


@settings(max_examples=8, deadline=None)
@given(observations.filter(bool))
def test_hearing_it_again_changes_nothing(shared: DuckDBEngine, rows: list[Said]) -> None:
    engine = emptied(shared)
    batches = [[row for row in rows if row.source == source] for source in sorted({row.source for row in rows})]
    for batch in batches:
        tell(engine, batch)
    before = [engine.rows(f"FROM {table} ORDER BY ALL") for table in TABLES]
    for batch in batches:
        tell(engine, batch)
    after = [engine.rows(f"FROM {table} ORDER BY ALL") for table in TABLES]
    assert after == before


def test_accounts_without_dates_are_known_since_ever(store: DuckDBEngine, stage: object) -> None:
    rows = stage("firms", ["account"], {"industry": Type.TEXT}, [("x", "retail"), ("y", None), ("x", None)])  # type: ignore[operator]
    counts = load_accounts(store, rows, NOW)
    rebuild(store, ACCOUNTS)
    assert (counts.new, counts.repeated) == (2, 1)
    assert store.rows("SELECT account, known_at, known_until, industry FROM account_attributes ORDER BY account") == [
        ("x", datetime(1900, 1, 1), FOREVER, "retail"),
        ("y", datetime(1900, 1, 1), FOREVER, None),
    ]


def test_a_changed_account_is_known_since_the_reading(store: DuckDBEngine, stage: object) -> None:
    for value in ("retail", "software"):
        rows = stage("firms", ["account"], {"industry": Type.TEXT}, [("x", value)])  # type: ignore[operator]
        load_accounts(store, rows, NOW)
        rebuild(store, ACCOUNTS)
    assert store.rows("SELECT known_at, known_until, industry FROM account_attributes ORDER BY known_at") == [
        (datetime(1900, 1, 1), NOW, "retail"),
        (NOW, FOREVER, "software"),
    ]
