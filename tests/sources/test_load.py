from pathlib import Path

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.sources.form import Context, Form, Numbers
from leadlight.sources.layout import Slot
from leadlight.sources.load import checked, drop, load
from leadlight.sources.part import Cell, Kind, Part
from leadlight.sources.progress import Clock

SLOTS = [
    Slot("_id", "id", "id", must=True),
    Slot("text", "text"),
    Slot("number", "number"),
    Slot("outcome_", "o", "outcome"),
]
FORMS = [
    Form(Type.TEXT, required=True),
    Form(Type.TEXT),
    Form(Type.NUMBER, required=True, numbers=Numbers.ANY),
    Form(Type.NUMBER),
]


def part(values: str) -> Part:
    columns = {name: Cell(Kind.ANY, f"c{i}") for i, name in enumerate(("id", "text", "number", "o"))}
    return Part("p", 0, columns, f"(VALUES {values}) AS v(c0, c1, c2, c3, line)", "line")


def test_what_does_not_fit_is_kept_beside_the_row(engine: DuckDBEngine) -> None:
    parts = [
        part("('a', 'x', '1', '1', 2), ('b', NULL, 'bad', 'y', 3), (' ', 'z', '2', '2.5', 4), ('', '', ' ', NULL, 5)")
    ]
    loaded = load(engine, "t", parts, SLOTS, FORMS, Context(), Clock(engine, "src", parts, None))
    assert checked(SLOTS, FORMS) == [0, 2, 3]
    assert engine.rows("SELECT * FROM t ORDER BY _n") == [
        ("a", "x", 1.0, "1", 0, 2, None, None),
        ("b", None, None, None, 0, 3, [None, None, "bad", "y"], "b,,bad,y"),
        (None, "z", 2.0, "2.5", 0, 4, [None, "", None, None], ",z,2,2.5"),
        (None, None, None, None, 0, 5, [], ",,,"),
    ]
    assert [(one.start, one.rows) for one in loaded] == [(0, 4)]
    drop(engine, "t")


def test_a_column_that_a_part_lacks_is_missing(engine: DuckDBEngine, tmp_path: Path) -> None:
    parts = [
        part("('a', 'x', '1', '1', 2)"),
        Part("q", 0, {"id": Cell(Kind.ANY, "c0")}, "(VALUES ('b', 2)) AS v(c0, line)", "line"),
    ]
    loaded = load(engine, "t", parts, SLOTS, FORMS, Context(), Clock(engine, "src", parts, None))
    assert engine.rows("SELECT _id, text, number, _part FROM t ORDER BY _part") == [
        ("a", "x", 1.0, 0),
        ("b", None, None, 1),
    ]
    assert [one.start for one in loaded] == [0, 1]
