from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.sources.batches import BATCH, Loaded, as_text, load_rows
from leadlight.sources.part import Kind


@pytest.fixture
def load(engine: DuckDBEngine) -> Callable[..., Loaded]:
    return lambda *rows, **told: load_rows(engine, "raw", len(rows[0]), rows, **told)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("x\x00y", Kind.STRING, "xy"), (True, Kind.BOOL, "true"), (5, Kind.INTEGER, "5"),
        (2**53 + 1, Kind.FIXED, "9007199254740993"), (5.0, Kind.NUMBER, "5"), (0.1, Kind.NUMBER, "0.1"),
        (1e22, Kind.NUMBER, "1e+22"), (float("nan"), Kind.NUMBER, None), (float("inf"), Kind.NUMBER, "inf"),
        (Decimal("1.10"), Kind.NUMBER, "1.10"), (Decimal("NaN"), Kind.NUMBER, None),
        (datetime(2026, 1, 31), Kind.TIME, "2026-01-31T00:00:00"),
        (datetime(2026, 1, 31, 1, tzinfo=timezone(timedelta(hours=2))), Kind.ZONED, "2026-01-30T23:00:00"),
        (timedelta(hours=25), Kind.FIXED, "1 day, 1:00:00"), (b"\x01", Kind.FIXED, "01"),
        (UUID(int=1), Kind.FIXED, "00000000-0000-0000-0000-000000000001"), ({"ü": [1]}, Kind.FIXED, '{"ü": [1]}'),
    ],
)  # fmt: skip
def test_values_as_text(value: object, kind: Kind, text: str | None) -> None:
    assert as_text(value) == (kind, text)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5], Kind.NUMBER), ([1, "x"], Kind.ANY), ([True, None], Kind.BOOL), (["a", ""], Kind.STRING),
        ([datetime(2026, 1, 1)], Kind.TIME), ([datetime(2026, 1, 1, tzinfo=UTC)], Kind.ZONED), ([None], Kind.ANY),
        ([2**60, 1], Kind.ANY), ([[1]], Kind.FIXED), ([True, 1], Kind.ANY),
    ],
)  # fmt: skip
def test_a_column_is_what_all_its_values_are(load: Callable[..., Loaded], values: list[object], kind: Kind) -> None:
    assert load(*[[value] for value in values]).cell(0).kind is kind


def test_empty_rows_count_as_lines_only(engine: DuckDBEngine, load: Callable[..., Loaded]) -> None:
    loaded = load(["a", 1], [None, ""], ["b", None], first_line=4)
    assert loaded.rows == 2
    assert engine.rows("SELECT * FROM raw") == [("a", "1", 4), ("b", None, 6)]


def test_many_batches(engine: DuckDBEngine) -> None:
    loaded = load_rows(engine, "raw", 1, ([number] for number in range(2 * BATCH + 5)))
    assert loaded.rows == 2 * BATCH + 5
    assert engine.rows("SELECT count(*), max(_line), sum(c0::INT = _line - 1) FROM raw") == [(40_005, 40_005, 40_005)]
