import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.sources.form import Context, Form, Numbers
from leadlight.sources.guess import Dates, Guess, guess, widen
from leadlight.sources.part import Kind
from leadlight.sources.times import Order

PLAIN, LOOSE = Form(Type.NUMBER), Form(Type.NUMBER, numbers=Numbers.LOOSE)
DAY_FIRST = Form(Type.TIME, formats=("%d/%m/%Y",), iso=False)


def of(engine: DuckDBEngine, *texts: str | None, kind: Kind = Kind.ANY, dates: str | None = None) -> Guess:
    engine.execute("CREATE OR REPLACE TEMP TABLE t AS SELECT unnest(?) AS c", [list(texts)])
    return guess(engine, "t", "c", kind, dates=Dates.parse(dates), context=Context(), nearly=0.6)


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["1", "2.5", None], PLAIN),
        (["1", "2,000"], LOOSE),
        (["yes", "FALSE"], Form(Type.BOOL)),
        (["0", "1"], PLAIN),
        (["007", "8"], Form(Type.TEXT)),
        (["2026-01-31"], Form(Type.TIME)),
        (["31/01/2026", "01/02/2026"], DAY_FIRST),
        (["2026-01-31", "31/01/2026"], Form(Type.TIME, formats=("%d/%m/%Y",))),
        (["a", "b"], Form(Type.TEXT)),
        ([None], Form(Type.TEXT, unseen=True)),
    ],
)
def test_form(engine: DuckDBEngine, texts: list[str | None], form: Form) -> None:
    assert of(engine, *texts) == Guess(form)


def test_texts_on_purpose_can_only_be_times(engine: DuckDBEngine) -> None:
    assert of(engine, "5", "6", kind=Kind.STRING).form.type is Type.TEXT
    assert of(engine, "yes", kind=Kind.STRING).form.type is Type.TEXT
    assert of(engine, "2026-01-31", kind=Kind.STRING).form.type is Type.TIME
    assert of(engine, "2026-01-31", kind=Kind.FIXED).form.type is Type.TEXT


def test_nearly(engine: DuckDBEngine) -> None:
    assert of(engine, "1", "2", "x") == Guess(Form(Type.TEXT), nearly=PLAIN)
    assert of(engine, "yes", "no", "x") == Guess(Form(Type.TEXT), nearly=Form(Type.BOOL))
    assert of(engine, "1", "x", "y") == Guess(Form(Type.TEXT))


def test_ambiguous_and_told(engine: DuckDBEngine) -> None:
    assert of(engine, "01/02/2026").ambiguous
    assert of(engine, "01/02/2026", dates="day_first") == Guess(DAY_FIRST)
    assert of(engine, "2026.02.01", dates="%Y.%d.%m").form.formats == ("%Y.%d.%m",)
    assert of(engine, "2026-02-01", dates="%d.%m.%Y").form == Form(Type.TIME)
    assert Dates.parse("month_first").order is Order.MONTH_FIRST


def test_widen() -> None:
    assert widen(PLAIN, LOOSE) == LOOSE
    assert widen(LOOSE, PLAIN) is None
    assert widen(PLAIN, Form(Type.BOOL)) is None
    assert widen(Form(Type.TEXT, unseen=True), PLAIN) == PLAIN
    assert widen(Form(Type.TIME), DAY_FIRST) == Form(Type.TIME, formats=("%d/%m/%Y",))
    assert widen(DAY_FIRST, DAY_FIRST) is None
