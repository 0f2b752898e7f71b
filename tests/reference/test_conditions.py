"""The reference's own conditions: three-valued logic, and text that means what the tree means."""

from __future__ import annotations

import pytest

from reference.conditions import (
    And,
    Arithmetic,
    Between,
    Case,
    Coalesce,
    Compare,
    Const,
    In,
    IsNull,
    Like,
    Name,
    Not,
    Or,
    evaluate,
    is_true,
    render,
)

YES, NO, UNKNOWN = Const(True), Const(False), Const(None)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        (And((YES, UNKNOWN)), None),
        (And((NO, UNKNOWN)), False),
        (Or((YES, UNKNOWN)), True),
        (Or((NO, UNKNOWN)), None),
        (Not(UNKNOWN), None),
        (IsNull(UNKNOWN), True),
        (IsNull(UNKNOWN, negated=True), False),
        (Compare("=", UNKNOWN, UNKNOWN), None),
        (Compare("<>", Const(1), Const(1.0)), False),
        (Compare(">=", Const("b"), Const("a")), True),
        (In(Const(2), (Const(1), Const(2))), True),
        (In(Const(3), (Const(1), UNKNOWN)), None),
        (In(Const(3), (Const(1), Const(2)), negated=True), True),
        (Between(Const(2), Const(2), Const(3)), True),
        (Between(UNKNOWN, Const(2), Const(3)), None),
        (Between(UNKNOWN, Const(2), Const(3), negated=True), None),
        (Between(Const(4), UNKNOWN, Const(3)), False),
        (Like(Const("/pricing/x"), "/pricing%"), True),
        (Like(Const("a\nb"), "a_b"), True),
        (Like(Const("a.b"), "a%c"), False),
        (Like(Const("axb"), "a.b"), False),
        (Like(Const("ABÉ"), "ab%", fold=True), True),
        (Like(Const("É"), "é", fold=True, negated=True), True),
        (Like(UNKNOWN, "%"), None),
        (Arithmetic("/", Const(1), Const(2)), 0.5),
        (Arithmetic("/", Const(1), Const(0)), None),
        (Arithmetic("%", Const(-7), Const(4)), -3.0),
        (Arithmetic("%", Const(7), Const(0)), None),
        (Coalesce((UNKNOWN, Const(3), Const(4))), 3.0),
        (Case(((UNKNOWN, Const(1)), (YES, Const(2))), Const(3)), 2.0),
        (Case(((NO, Const(1)),), None), None),
    ],
)
def test_values(node, value):
    assert evaluate(node, {}.get) == value


def test_unknown_is_not_true():
    assert not is_true(Name("absent"), {}.get)
    assert is_true(Name("present"), {"present": True}.get)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (And((Or((Name("a"), Name("b"))), Name("c"))), "(a or b) and c"),
        (Or((And((Name("a"), Name("b"))), Name("c"))), "a and b or c"),
        (Not(And((Name("a"), Name("b")))), "not (a and b)"),
        (Not(Compare("=", Name("a"), Const("it's"))), "not a = 'it''s'"),
        (Arithmetic("-", Name("a"), Arithmetic("-", Name("b"), Const(1))), "a - (b - 1)"),
        (Arithmetic("*", Arithmetic("+", Name("a"), Const(0.5)), Name("order")), '(a + 0.5) * "order"'),
        (In(Name("a"), (Const("x"), Const(2)), negated=True), "a not in ('x', 2)"),
        (Between(Name("a"), Const(1), Const(2.5)), "a between 1 and 2.5"),
        (IsNull(Compare("=", Name("a"), Name("b"))), "(a = b) is null"),
        (Like(Name("a"), "50%'", fold=True), "a ilike '50%'''"),
        (Coalesce((Name("b"), Const(None))), "coalesce(b, null)"),
        (Case(((Name("a"), Const(1)),), Const(True)), "case when a then 1 else true end"),
    ],
)
def test_rendering(node, text):
    assert render(node) == text
