from datetime import datetime

import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.sources.times import Evidence, Order, shape_of, shape_sql, time_sql, unix_sql


def read(engine: DuckDBEngine, text: str, order: Order | None = None) -> datetime | None:
    shape = shape_of(text, order)
    if shape is None:
        return None
    sql = time_sql("t", shape.formats, iso=shape.iso, utc=True)
    return engine.rows(f"SELECT {sql} FROM (SELECT ? AS t)", [text])[0][0]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-31", "2026-01-31T00:00"), ("2026-1-3", "2026-01-03T00:00"), ("2026-01-31 10:15", "2026-01-31T10:15"),
        ("2026-01-31T10:15:00Z", "2026-01-31T10:15"), ("2026-01-31T10:15:00+02:00", "2026-01-31T08:15"),
        ("2026-01-31 10:15:00.123456", "2026-01-31T10:15:00.123456"), ("2026-01-31 10:15:00+0200", "2026-01-31T08:15"),
        ("2026-01-31 10:15:00 UTC", "2026-01-31T10:15"), ("2026/01/31", "2026-01-31T00:00"),
        ("2026.01.31", "2026-01-31T00:00"), ("31.01.2026", "2026-01-31T00:00"), ("1.2.26 7:05", "2026-02-01T07:05"),
        ("30/Sep/21 17:20", "2021-09-30T17:20"), ("30-SEP-2021", "2021-09-30T00:00"),
        ("3 May 2026", "2026-05-03T00:00"),
        ("31. January 2026", "2026-01-31T00:00"), ("Jan 31, 2026", "2026-01-31T00:00"),
        ("January 31, 2026 at 10:15 PM", "2026-01-31T22:15"), ("Sat, 31 Jan 2026 10:15:00 +0200", "2026-01-31T08:15"),
        ("Saturday, January 31, 2026", "2026-01-31T00:00"), ("31 Jan 2026, 10:15", "2026-01-31T10:15"),
        ("1 Jan 69", "1969-01-01T00:00"), ("1 Jan 68", "2068-01-01T00:00"),
        ("2026-02-30", None), ("1500-01-01", None), ("2262-01-01", None), ("9999-12-31", None), ("2026", None),
        ("2026-01", None), ("20260131", None), ("10:15", None), ("31 Sept 2026", None), ("Mayor 31, 2026", None),
        ("infinity", None), ("epoch", None), ("2026-01-31 25:00", None), ("1/2", None), ("v1.2.2026-rc", None),
    ],
)  # fmt: skip
def test_formats(engine: DuckDBEngine, text: str, time: str | None) -> None:
    assert read(engine, text) == (None if time is None else datetime.fromisoformat(time))


@pytest.mark.parametrize(
    ("text", "day_first", "month_first"),
    [
        ("01/02/2026", "2026-02-01T00:00", "2026-01-02T00:00"),
        ("1-2-26 9:05 pm", "2026-02-01T21:05", "2026-01-02T21:05"),
        ("31/01/2026 10:15:59.5", "2026-01-31T10:15:59.500", None),
        ("01.02.2026", "2026-02-01T00:00", "2026-02-01T00:00"),
    ],
)
def test_orders(engine: DuckDBEngine, text: str, day_first: str, month_first: str | None) -> None:
    assert read(engine, text, Order.DAY_FIRST) == datetime.fromisoformat(day_first)
    expected = None if month_first is None else datetime.fromisoformat(month_first)
    assert read(engine, text, Order.MONTH_FIRST) == expected


def test_zones_of_different_spelling_do_not_leak_into_each_other(engine: DuckDBEngine) -> None:
    formats = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M %z", "%d/%m/%Y %H:%M %Z")
    engine.execute("SET TimeZone = 'Europe/Berlin'")
    sql = time_sql("t", formats, iso=False, utc=False)
    texts = ["31/07/2026 10:00", "31/07/2026 10:00 UTC", "31/07/2026 10:00 +05:00"]
    hours = [row[0].hour for row in engine.rows(f"SELECT {sql} FROM (SELECT unnest(?) AS t)", [texts])]
    assert hours == [8, 10, 5]


def test_shapes_are_few(engine: DuckDBEngine) -> None:
    texts = ["30/Sep/21 17:20", "01/May/70 09:01"]
    shapes = engine.rows(f"SELECT DISTINCT {shape_sql('t')} FROM (SELECT unnest(?) AS t)", [texts])
    assert shapes == [("99/a/99 99:99",)]


@pytest.mark.parametrize(
    ("number", "time"),
    [("0", "1970-01-01T00:00"), ("1717171717", "2024-05-31T16:08:37"), ("1717171717000", "2024-05-31T16:08:37"),
     ("1717171717000000", "2024-05-31T16:08:37"), ("1717171717000000000", "2024-05-31T16:08:37"),
     ("1717171717.25", "2024-05-31T16:08:37.250"), ("-86400", "1969-12-31T00:00"), ("1e300", None), ("'nan'", None)],
)  # fmt: skip
def test_unix(engine: DuckDBEngine, number: str, time: str | None) -> None:
    found = engine.rows(f"SELECT {unix_sql(f'CAST({number} AS DOUBLE)')}")[0][0]
    assert found == (None if time is None else datetime.fromisoformat(time))


@pytest.mark.parametrize(
    ("days", "months", "doubt", "order", "mixed"),
    [
        (0, 0, None, Order.DAY_FIRST, False),
        (0, 0, "01/02/2026", None, False),
        (5, 0, "01/02/2026", Order.DAY_FIRST, False),
        (0, 5, "01/02/2026", Order.MONTH_FIRST, False),
        (5, 5, None, None, True),
        (1000, 1, "01/02/2026", Order.DAY_FIRST, False),
    ],
)
def test_evidence(days: int, months: int, doubt: str | None, order: Order | None, mixed: bool) -> None:
    shown = Evidence(days, months, "31/01/2026", "01/31/2026", doubt)
    assert (shown.order, shown.mixed) == (order, mixed)
