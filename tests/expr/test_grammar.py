"""The order of pieces: what passes is well formed to sqlglot too, and nothing crashes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from leadlight.expr.grammar import check_order
from leadlight.expr.parse import ExpressionError, parse_expression
from leadlight.expr.scan import scan
from leadlight.expr.syntax import build_tree
from leadlight.expr.types import Type

NAMES = {"n": Type.NUMBER, "t": Type.TEXT, "b": Type.BOOL, "d": Type.TIME}
WORDS = [
    "n",
    "t",
    "b",
    "d",
    "1",
    "'x'",
    "true",
    "null",
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "||",
    "=",
    "<>",
    "<",
    "and",
    "or",
    "not",
    "in",
    "between",
    "like",
    "is",
    "escape",
    "as",
    "case",
    "when",
    "then",
    "else",
    "end",
    "lower(",
    "coalesce(",
    "try_cast(",
    "as",
    "number",
]


def texts() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)


@pytest.mark.parametrize("text", ["n escape 'x'", "a like b escape 'x'", "'%' escape '!'", "a = '5!%' escape '!'"])
def test_escape_stands_behind_a_pattern_only(text):
    found = check_order(text, scan(text).pieces)
    assert found is not None
    assert "escape stands behind the pattern of like" in found.message


@settings(max_examples=1500, deadline=None)
@given(texts())
def test_what_is_in_order_is_read_by_sqlglot(text):
    pieces = scan(text).pieces
    if check_order(text, pieces) is None:
        assert isinstance(build_tree(pieces), exp.Expr)


@settings(max_examples=1500, deadline=None)
@given(texts() | st.text(max_size=40))
def test_any_text_is_an_expression_or_has_problems(text):
    try:
        found = parse_expression(text, NAMES).tree
    except ExpressionError as error:
        found = error.problems
    assert found
