import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.sources.numbers import any_number, loose_number, plain_number


def value(engine: DuckDBEngine, sql: str, text: str) -> float | None:
    return engine.rows(f"SELECT {sql} FROM (SELECT ? AS t)", [text])[0][0]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0.0), ("-0", 0.0), ("12", 12.0), ("-1.5", -1.5), (".5", 0.5), ("0.5", 0.5), ("1e5", 1e5), ("1E-3", 1e-3),
        ("123456789012345", 123456789012345.0), ("0.12345678901234567890", 0.12345678901234568),
        ("1234567890123456", None), ("007", None), ("-007", None), ("+5", None), ("1_000", None), ("1,000", None),
        ("inf", None), ("nan", None), ("1e999", None), ("abc", None), ("-", None), ("0x10", None), ("١٢", None),
    ],
)  # fmt: skip
def test_plain(engine: DuckDBEngine, text: str, number: float | None) -> None:
    assert value(engine, plain_number("t"), text) == number


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1,234.50", ".", 1234.5), ("1,234,567", ".", 1234567.0), ("12,34", ".", None), ("1,2345", ".", None),
        ("$5", ".", 5.0), ("-$5", ".", -5.0), ("$-5", ".", -5.0), ("€ 1,000", ".", 1000.0), ("1,000 €", ".", 1000.0),
        ("R$1,000.00", ".", 1000.0), ("USD 12.50", ".", 12.5), ("12.50 CHF", ".", 12.5), ("12%", ".", 12.0),
        ("(1,000.25)", ".", -1000.25), ("−5", ".", -5.0), ("1’234.5", ".", 1234.5), ("1\u00a0234", ".", 1234.0),
        ("555 123 456", ".", None), ("1.234,56", ",", 1234.56), ("3,14", ",", 3.14), ("1.000", ",", 1000.0),
        ("1.5", ",", None), ("1 234,5", ",", 1234.5), ("-3,5 €", ",", -3.5), ("007", ".", None), ("+5", ".", None),
        ("1.2.3", ".", None), ("10.20.300.400", ",", None), ("5 apples", ".", None), ("", ".", None),
    ],
)  # fmt: skip
def test_loose(engine: DuckDBEngine, text: str, decimal: str, number: float | None) -> None:
    assert value(engine, loose_number("t", decimal), text) == number


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [("007", ".", 7.0), ("+5", ".", 5.0), ("1234567890123456", ".", 1234567890123456.0), ("$007", ".", 7.0),
     ("1 234", ".", 1234.0), ("inf", ".", None), ("1,5", ",", 1.5), ("1.5", ",", None), ("07,5", ",", 7.5)],
)  # fmt: skip
def test_required(engine: DuckDBEngine, text: str, decimal: str, number: float | None) -> None:
    assert value(engine, any_number("t", decimal), text) == number
