import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.sources.form import Context, Form, Numbers, reason_sql, text_sql, value_sql
from leadlight.sources.part import Cell, Kind
from leadlight.sources.times import naive

REQUIRED = {kind: Form(kind, required=True, numbers=Numbers.ANY) for kind in Type}


def one(engine: DuckDBEngine, sql: str, value: object, kind: str = "VARCHAR") -> object:
    return engine.rows(f"SELECT {sql} FROM (SELECT CAST(? AS {kind}) AS c)", [value])[0][0]


@pytest.mark.parametrize(
    ("kind", "of", "value", "text"),
    [
        (Kind.ANY, "VARCHAR", "  x ", "x"), (Kind.ANY, "VARCHAR", "   ", None), (Kind.ANY, "VARCHAR", " ? ", None),
        (Kind.NUMBER, "DOUBLE", 3.0, "3"), (Kind.NUMBER, "DOUBLE", 0.5, "0.5"), (Kind.NUMBER, "DOUBLE", "nan", None),
        (Kind.NUMBER, "DOUBLE", 1e20, "1e+20"), (Kind.INTEGER, "HUGEINT", 2**70, str(2**70)),
        (Kind.BOOL, "BOOLEAN", True, "true"), (Kind.TIME, "TIMESTAMP", "2026-01-31", "2026-01-31 00:00:00"),
    ],
)  # fmt: skip
def test_text(engine: DuckDBEngine, kind: Kind, of: str, value: object, text: str | None) -> None:
    assert one(engine, text_sql(Cell(kind, "c"), Context(missing=("?",))), value, of) == text


@pytest.mark.parametrize(
    ("type_", "text", "reason"),
    [
        (Type.TEXT, "", "is empty"), (Type.NUMBER, "", "is empty"), (Type.NUMBER, "x", "is not a number"),
        (Type.NUMBER, "inf", "is not finite"), (Type.BOOL, "x", "is not true or false (nor yes, no, 1, 0)"),
        (Type.TIME, "x", "is not a time"), (Type.TIME, "1500-01-01", "is outside the years 1678 to 2261"),
        (Type.TIME, "9999-12-31", "is outside the years 1678 to 2261"),
    ],
)  # fmt: skip
def test_reason(engine: DuckDBEngine, type_: Type, text: str, reason: str) -> None:
    assert one(engine, reason_sql("c", REQUIRED[type_]), text) == reason
    value = value_sql(Cell(Kind.ANY, "c"), "nullif(c, '')", REQUIRED[type_], Context())
    assert one(engine, value, text) is None


def test_native_times_without_zone_are_in_the_zone_of_the_source(engine: DuckDBEngine) -> None:
    engine.execute("SET TimeZone = 'Asia/Tokyo'")
    sql = value_sql(Cell(Kind.TIME, "c"), "c", Form(Type.TIME), Context(utc=False))
    assert str(one(engine, sql, "2026-01-31 10:00", "TIMESTAMP")) == "2026-01-31 01:00:00"
    zoned = naive("c", utc=False)
    assert str(one(engine, zoned, "2026-01-31 10:00+00", "TIMESTAMPTZ")) == "2026-01-31 10:00:00"
