"""The same expression is worth the same in DuckDB, in PostgreSQL, and by the definitions in plain Python."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import datetime
from functools import cache

import duckdb
import psycopg
import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expr.meaning import INFIX, Node, TooExtremeError, meaning, name, value, write
from leadlight.expr import build
from leadlight.expr.functions import FUNCTIONS
from leadlight.expr.parse import ExpressionError, parse_expression
from leadlight.expr.sql import to_sql
from leadlight.expr.types import Type
from leadlight.expr.words import LETTERS, MARKS

DIALECTS = ("duckdb", "postgres", "bigquery", "snowflake", "databricks", "clickhouse", "trino", "spark")
NAMES = {
    **dict.fromkeys(("n1", "n2", "n3"), Type.NUMBER),
    **dict.fromkeys(("t1", "t2"), Type.TEXT),
    **dict.fromkeys(("b1", "b2"), Type.BOOL),
    **dict.fromkeys(("d1", "d2"), Type.TIME),
}
COLUMN_TYPES = {Type.NUMBER: "DOUBLE PRECISION", Type.TEXT: "TEXT", Type.BOOL: "BOOLEAN", Type.TIME: "TIMESTAMP"}
NUMBERS = [
    0.0, -0.0, 1.0, -1.0, 2.0, 3.0, -7.0, 0.1, 0.5, -0.5, 1.5, 2.5, -2.5, 0.49999999999999994, 2.675, 1e15, 9.5e15,
    4503599627370497.5, -4503599627370497.0, 9007199254740993.0, 123456789.123, 1e99, -1e101, 1e150, 1e-99, -1e-101,
    1e-200, 5e-324, 1.7976931348623157e308, -1e308, 690.0, 691.0, -700.0,
]  # fmt: skip
TEXTS = [
    "", " ", "a", "A", "abc", "ABC", "aBc", "/pricing", "/pricing/x", "100%", "a_c", "a\\c", "it's", "\\", "%", "_",
    "été", "ÉTÉ", "пр%", "naïve 😀 text", "e\u0301", "a\nb", " x ", "\tx", "12", " -3.50 ", "1e5", "1e100", "+.5", "5.",
    "0x10", "NaN", "inf", "1_000", "--", "/*", "${x}", "null", "9" * 101, "１２",
    "Data-loss: crash!", "data\nLOSS", "Krásch, crash_x", "οδός Οδος", "\u0301a \u00aa", "崩溃 a 한 글", "Øl & Łódź",
]  # fmt: skip
TIMES = [
    datetime.fromisoformat(written)
    for written in (
        "0001-01-01 00:00:00",
        "0001-01-01 00:00:00.000001",
        "1582-10-04 12:00:00",
        "1969-12-31 23:59:59.999999",
        "1970-01-01 00:00:00",
        "2000-02-29 12:30:00",
        "2024-02-29 00:00:00",
        "2024-03-03 23:59:59.999999",
        "2024-03-04 00:00:00",
        "2025-10-26 02:30:00",
        "9999-12-31 23:59:59.999999",
    )
]
PHRASES = ["a", "data loss", "CRÁSH", "loss crash", "οδος", "x", "ol", "lodz", "ÉTÉ", "naive", "pricing x", "12"]
VALUES = {Type.NUMBER: NUMBERS, Type.TEXT: TEXTS, Type.BOOL: [True, False], Type.TIME: TIMES}


def make_rows(count: int) -> list[dict]:
    pick = random.Random(20260131)
    return [
        {of: None if pick.random() < 0.15 else pick.choice(VALUES[kind]) for of, kind in NAMES.items()}
        for _ in range(count)
    ]


ROWS = make_rows(150)


@pytest.fixture(scope="module")
def engines(postgres_uri):
    """Both engines with the same rows in a table `r`, as functions from a tree to the column of its values."""
    columns = ", ".join(f"{of} {COLUMN_TYPES[kind]}" for of, kind in NAMES.items())
    rows = [[index, *row.values()] for index, row in enumerate(ROWS)]
    with duckdb.connect() as duck, psycopg.connect(postgres_uri, autocommit=True) as postgres:
        for engine, mark in ((duck, "?"), (postgres.cursor(), "%s")):
            engine.execute(f"CREATE {'TEMP ' if mark == '%s' else ''}TABLE r (i INTEGER, {columns})")
            engine.executemany(f"INSERT INTO r VALUES ({', '.join([mark] * (len(NAMES) + 1))})", rows)

        def on_duckdb(tree) -> list:
            found = duck.execute(f"SELECT {build.to_text(tree, 'duckdb')} FROM r ORDER BY i").fetchall()
            return [row[0] for row in found]

        def on_postgres(tree) -> list:
            found = postgres.execute(f"SELECT {build.to_text(tree, 'postgres')} FROM r ORDER BY i").fetchall()
            return [row[0] for row in found]

        yield on_duckdb, on_postgres


def same(a, b) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-300)
    return type(a) is type(b) and a == b


def by_definition(node: Node, row: dict) -> tuple[bool, object]:
    """Return whether the definition says what it is worth, and what."""
    try:
        return True, meaning(node, row)
    except TooExtremeError:
        return False, None


def check(node: Node, engines) -> None:
    expression = parse_expression(write(node), NAMES)
    tree = to_sql(expression, build.col)
    ours, theirs = (run(tree) for run in engines)
    for row, a, b in zip(ROWS, ours, theirs, strict=True):
        shown = {of: row[of] for of in expression.names}
        assert same(a, b), f"{node} for {shown}: DuckDB {a!r}, PostgreSQL {b!r}"
        assert not isinstance(a, float) or math.isfinite(a), f"{node} for {shown}: {a!r}"
        defined, wanted = by_definition(node, row)
        if defined:
            assert same(a, wanted), f"{node} for {shown}: DuckDB {a!r}, by definition {wanted!r}"


# ----------------------------------------------------------------------------------------------- random expressions


def apply(op: str, *parts: st.SearchStrategy) -> st.SearchStrategy:
    return st.tuples(*parts).map(lambda made: Node(op, made))


def leaves(kind: Type) -> st.SearchStrategy:
    literals = st.sampled_from(VALUES[kind])
    if kind is Type.NUMBER:
        literals = literals | st.floats(allow_nan=False, allow_infinity=False, width=64) | st.integers(0, 99).map(float)
    named = st.sampled_from([of for of, its in NAMES.items() if its is kind]).map(name)
    return named | named | literals.map(value)


def of_kind(kinds: Callable[[int], st.SearchStrategy]) -> Callable[[int], st.SearchStrategy]:
    """Make a strategy once, and hide what it is made of: Hypothesis would write all of it out for a failure."""
    made = cache(kinds)

    @st.composite
    def drawn(draw: st.DrawFn, depth: int):
        return draw(made(depth))

    return drawn


@of_kind
def numbers(depth: int) -> st.SearchStrategy:
    if depth == 0:
        return leaves(Type.NUMBER)
    x, t, d, c = numbers(depth - 1), texts(depth - 1), times(depth - 1), conditions(depth - 1)
    return st.one_of(
        leaves(Type.NUMBER),
        *(apply(op, x, x) for op in ("+", "-", "*", "/", "%", "power", "nullif", "coalesce")),
        *(apply(op, x) for op in ("neg", "abs", "floor", "ceil", "round", "ln", "sqrt", "exp")),
        *(apply(op, x, x, x) for op in ("least", "greatest", "coalesce", "+")),
        apply("round", x, st.integers(0, 6).map(lambda digits: value(float(digits)))),
        apply("length", t),
        apply("word_count", t),
        apply("try_cast", t),
        *(apply(op, d) for op in ("year", "month", "day", "hour", "weekday")),
        apply("days_between", d, d),
        apply("case", st.tuples(st.tuples(c, x)), x | st.none() | st.just(value(None))),
    )


@of_kind
def texts(depth: int) -> st.SearchStrategy:
    if depth == 0:
        return leaves(Type.TEXT)
    x, c = texts(depth - 1), conditions(depth - 1)
    place = st.integers(1, 5).map(lambda at: value(float(at)))
    return st.one_of(
        leaves(Type.TEXT),
        *(apply(op, x) for op in ("lower", "upper", "trim")),
        *(apply(op, x, x) for op in ("||", "concat", "coalesce", "nullif")),
        apply("substr", x, place),
        apply("substr", x, place, place),
        apply("case", st.tuples(st.tuples(c, x), st.tuples(c, x)), x | st.none()),
    )


@of_kind
def times(depth: int) -> st.SearchStrategy:
    if depth == 0:
        return leaves(Type.TIME)
    x = times(depth - 1)
    return st.one_of(leaves(Type.TIME), *(apply(op, x, x) for op in ("least", "greatest", "coalesce", "nullif")))


def phrases() -> st.SearchStrategy:
    return st.sampled_from(PHRASES).map(value)


def patterns() -> st.SearchStrategy:
    plain = st.lists(st.sampled_from(["%", "_", "a", "b", "É", "/", "\\", "'", "."]), max_size=4).map("".join)
    escaped = st.lists(st.sampled_from(["%", "_", "a", "!%", "!_", "!!", "\\"]), max_size=4).map("".join)
    return st.tuples(plain, st.none()) | st.tuples(escaped, st.just("!"))


@of_kind
def conditions(depth: int) -> st.SearchStrategy:
    if depth == 0:
        return leaves(Type.BOOL)
    c, n, t, d = conditions(depth - 1), numbers(depth - 1), texts(depth - 1), times(depth - 1)
    written = {kind: st.sampled_from(VALUES[kind]).map(value) for kind in (Type.NUMBER, Type.TEXT, Type.TIME)}
    return st.one_of(
        leaves(Type.BOOL),
        *(apply(op, c, c) for op in ("and", "or", "=", "<>")),
        *(apply(op, c, c, c) for op in ("and", "or")),
        apply("not", c),
        apply("is", c, st.sampled_from([True, False, None])),
        *(apply("is", x, st.none()) for x in (n, t, d)),
        *(apply(op, x, x) for op in ("=", "<>") for x in (n, t, d)),
        *(apply(op, x, x) for op in ("<", "<=", ">", ">=") for x in (n, d)),
        *(apply("between", x, x, x) for x in (n, d)),
        *(apply("in", x, *([written[kind]] * 3)) for x, kind in ((n, Type.NUMBER), (t, Type.TEXT), (d, Type.TIME))),
        *(apply(op, t, t) for op in ("contains", "starts_with")),
        apply("contains_any", t, phrases(), phrases()),
        *(st.tuples(t, patterns()).map(lambda made: Node("like", (made[0], *made[1]))) for _ in range(2)),
        st.tuples(t, patterns()).map(lambda made: Node("ilike", (made[0], *made[1]))),
    )


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(node=st.one_of(numbers(2), texts(2), times(2), conditions(2), conditions(3)))
def test_engines_agree_with_each_other_and_with_the_definition(engines, node):
    check(node, engines)


ONE_EACH = [
    *(Node(op, (name("n1"), name("n2"))) for op in ("+", "-", "*", "/", "%", "power", "least", "greatest", "coalesce")),
    *(Node(op, (name("n1"),)) for op in ("neg", "abs", "floor", "ceil", "round", "ln", "sqrt", "exp")),
    Node("round", (name("n1"), value(2.0))),
    Node("power", (name("n1"), value(2.0))),
    Node("power", (name("n1"), value(0.5))),
    Node("power", (name("n1"), value(0.0))),
    Node("power", (value(2.0), name("n1"))),
    Node("power", (name("n1"), value(-1.0))),
    Node("/", (value(5.0), value(2.0))),
    Node("%", (name("n1"), value(2.0))),
    Node("*", (Node("*", (Node("*", (name("n1"), name("n2"))), name("n3"))), name("n1"))),
    *(Node(op, (name("t1"),)) for op in ("length", "lower", "upper", "trim", "try_cast")),
    *(Node(op, (name("t1"), name("t2"))) for op in ("||", "concat", "contains", "starts_with", "nullif", "=")),
    *(Node("contains_any", (name("t1"), value(phrase))) for phrase in PHRASES),
    Node("contains_any", (name("t1"), *map(value, PHRASES))),
    Node("word_count", (name("t1"),)),
    Node("substr", (name("t1"), value(2.0))),
    Node("substr", (name("t1"), value(2.0), value(1.0))),
    *(Node(op, (name("d1"),)) for op in ("year", "month", "day", "hour", "weekday")),
    Node("days_between", (name("d1"), name("d2"))),
    *(Node("like", (name("t1"), pattern, None)) for pattern in ("/pricing%", "%\\%", "a\\c", "_", "%_", "100%", "")),
    *(Node("like", (name("t1"), pattern, "!")) for pattern in ("%!%", "a!_c", "!a", "%!\\%")),
    Node("like", (name("t1"), "a\\_c", "\\")),
    Node("ilike", (name("t1"), "É%", None)),
    Node("ilike", (name("t1"), "A\\C", None)),
    *(Node("is", (name("b1"), constant)) for constant in (True, False, None)),
    Node("case", (((name("b1"), value(1.0)), (name("b2"), value(None))), value(2.0))),
]


@pytest.mark.parametrize("node", ONE_EACH, ids=write)
def test_each_operator_and_function(engines, node):
    check(node, engines)


def test_each_function_is_among_them():
    called = {node.op for node in ONE_EACH} - INFIX - {"neg", "like", "ilike", "is", "case"}
    assert called == set(FUNCTIONS)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("node", ONE_EACH, ids=write)
def test_each_dialect_parses_back(dialect, node):
    tree = to_sql(parse_expression(write(node), NAMES), build.col)
    printed = build.to_text(sqlglot.select(sqlglot.alias(tree, "x")), dialect)
    assert sqlglot.parse_one(printed, dialect=dialect).named_selects == ["x"]


# ---------------------------------------------------------------------------------------------------- what is printed


NUMBER_12 = f"(^|[^{LETTERS}])[{MARKS}]*(12)([^{LETTERS}]|$)"


def printed(text: str, dialect: str = "duckdb") -> str:
    return build.to_text(to_sql(parse_expression(text, NAMES), build.col), dialect)


@pytest.mark.parametrize(
    ("text", "dialect", "sql"),
    [
        ("n1 > 50", "duckdb", '("n1" > 50)'),
        ("N1 > 50", "bigquery", "(`n1` > 50)"),
        ("n1 > 0.5 or not b1", "duckdb", '(("n1" > 0.5) OR (NOT "b1"))'),
        ("5 / 2", "postgres", "(CAST(5 AS DOUBLE PRECISION) / CAST(2 AS DOUBLE PRECISION))"),
        ("least(n1, 5)", "trino", 'LEAST(COALESCE("n1", 5), 5)'),
        ("b1 is true", "snowflake", 'COALESCE("b1", FALSE)'),
        ("t1 like '50!%' escape '!'", "bigquery", "(REPLACE(`t1`, '%', '\ue000') LIKE '50\ue000')"),
        ("t1 = 'it''s \\'", "bigquery", "(`t1` = 'it\\'s \\\\')"),
        ("contains(t1, 'x')", "spark", "(LOCATE('x', `t1`) > 0)"),
        ("contains_any(t1, '12')", "snowflake", f"(REGEXP_INSTR(\"t1\", '{NUMBER_12}') > 0)"),
        ("contains_any(t1, '12')", "duckdb", f"(REGEXP_MATCHES(\"t1\", '{NUMBER_12}'))"),
        ("-(-n1)", "duckdb", '(-(-"n1"))'),
        ("ln(n1)", "duckdb", 'LN(NULLIF(GREATEST("n1", 0), 0))'),
        ("ln(n1)", "snowflake", 'LN(NULLIF(GREATEST_IGNORE_NULLS("n1", 0), 0))'),
    ],
)
def test_printed(text, dialect, sql):
    assert printed(text, dialect) == sql


def test_names_come_from_the_caller():
    expression = parse_expression("N1 + n2 > 3", NAMES)
    tree = to_sql(expression, lambda of: build.col(of, "t"))
    assert {column.table for column in tree.find_all(sqlglot.exp.Column)} == {"t"}
    assert {column.name for column in tree.find_all(sqlglot.exp.Column)} == {"n1", "n2"}


def test_the_expression_is_not_changed_by_making_sql():
    expression = parse_expression("n1 / n2 + power(n1, 2)", NAMES)
    before = expression.tree.sql()
    assert to_sql(expression, build.col) == to_sql(expression, build.col)
    assert expression.tree.sql() == before


def test_long_chains_run(engines):
    many = Node("or", tuple(Node("=", (name("n1"), value(float(each)))) for each in range(600)))
    check(many, engines)


def test_guards_within_guards_are_refused_before_they_explode():
    text = "n1"
    for _ in range(12):
        text = f"power({text}, n2) % n3"
    with pytest.raises(ExpressionError) as raised:
        parse_expression(text, NAMES)
    assert str(raised.value) == "1:1: this grows too large as SQL: make its parts features of their own"
