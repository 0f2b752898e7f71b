"""Columns whose later values are other than the first twenty thousand."""

import pytest

from leadlight.expr.types import Type
from leadlight.sources.form import Form
from leadlight.sources.plan import SAMPLE_ROWS, order_of
from leadlight.sources.times import Order

from .conftest import Reader

MANY = SAMPLE_ROWS + 5_000


@pytest.mark.parametrize(
    ("usual", "late", "kind", "last"),
    [
        ("5", '"1,234.5"', "number", "1234.5"),
        ("5", "x", "text", "x"),
        ("5", "2026-01-31", "text", "2026-01-31"),
        ("", "7", "number", "7.0"),
        ("", "x", "text", "x"),
        ("", "yes", "bool", "True"),
        ("2026-01-31", "2026-01-31T10:00:00Z", "time", "2026-01-31 10:00:00"),
        ("2026-01-31", "31.01.2026", "time", "2026-01-31 00:00:00"),
        ("31/01/2026", "01/02/2026 10:15", "time", "2026-02-01 10:15:00"),
        ("31/01/2026", "01/02/26", "time", "2026-02-01 00:00:00"),
        ("31/01/2026", "01/31/2026", "text", "01/31/2026"),
        ("01/02/2026", "31/01/2026", "time", "2026-01-31 00:00:00"),
        ("yes", "1", "text", "1"),
    ],
)
def test_late_values(read_csv: Reader, usual: str, late: str, kind: str, last: str) -> None:
    result = read_csv("id,a\n" + "".join(f"{n},{usual}\n" for n in range(MANY)) + f"last,{late}\n")
    assert (result.types["a"], result.reading.rejected) == (kind, 0)
    assert str(result.rows[-1][1]) == last
    assert len(result.rows) == MANY + 1


def test_late_times_of_a_role_widen_its_formats(read_csv: Reader) -> None:
    body = "".join(f"{n},31/01/2026\n" for n in range(MANY))
    event = {"lead": "id", "at": "at", "event": "x"}
    result = read_csv(f"id,at\n{body}last,1.2.2026 10:15\nbad,soon\n", **event)
    assert (result.reading.rows, result.reading.rejected) == (MANY + 1, 1)
    assert result.rejects == [f'f.csv,{MANY + 3},at,soon,is not a time,"bad,soon"']


def test_order_of_formats() -> None:
    assert order_of(Form(Type.TIME, formats=("%d/%m/%Y", "%d.%m.%Y"))) is Order.DAY_FIRST
    assert order_of(Form(Type.TIME, formats=("%m-%d-%y %H:%M",))) is Order.MONTH_FIRST
    assert order_of(Form(Type.TIME, formats=("%d.%m.%Y",))) is None
