"""What is accepted, what type it has, and which names it uses."""

from __future__ import annotations

import pytest

from leadlight.errors import LeadlightError
from leadlight.expr.parse import Expression, ExpressionError, Problem, parse_condition, parse_expression
from leadlight.expr.types import Type

NAMES = {
    "employees": Type.NUMBER,
    "clicks": Type.NUMBER,
    "Seniority": Type.TEXT,
    "crm": Type.TEXT,
    "free_mail": Type.BOOL,
    "created_at": Type.TIME,
    "as_of": Type.TIME,
    "at": Type.TIME,
    "end": Type.TEXT,
    "select": Type.NUMBER,
    "date": Type.TIME,
    "left": Type.NUMBER,
    "größe": Type.NUMBER,
}

TYPES = [
    ("employees", Type.NUMBER),
    ("employees + clicks * -2", Type.NUMBER),
    ("(employees - 1) / 2 % 3", Type.NUMBER),
    ("- -employees", Type.NUMBER),
    ("1e3", Type.NUMBER),
    ("'it''s'", Type.TEXT),
    ("crm || '-' || seniority", Type.TEXT),
    ("concat(crm, seniority)", Type.TEXT),
    ("true", Type.BOOL),
    ("not free_mail", Type.BOOL),
    ("employees between 1 and 10 and crm like 'a%'", Type.BOOL),
    ("employees not between 1 and 10 or crm not like 'a%'", Type.BOOL),
    ("crm in ('a', 'b') and crm not in ('c')", Type.BOOL),
    ("employees in (-1, 2)", Type.BOOL),
    ("created_at in (DATE '2026-01-31')", Type.BOOL),
    ("crm is null or employees is not null", Type.BOOL),
    ("free_mail is true and free_mail is not false", Type.BOOL),
    ("employees = clicks is null", Type.BOOL),
    ("free_mail = (employees > 5)", Type.BOOL),
    ("created_at >= TIMESTAMP '2026-01-31 12:00:00.123456'", Type.BOOL),
    ("TIMESTAMP '2026-01-31T12:00:00+02:00'", Type.TIME),
    ("greatest(created_at, as_of)", Type.TIME),
    ("days_between(created_at, as_of)", Type.NUMBER),
    ("case when free_mail then 1 else null end", Type.NUMBER),
    ("case when free_mail then null when crm = 'a' then crm end", Type.TEXT),
    ("case crm when 'a' then free_mail end", Type.BOOL),
    ("case when free_mail then null end", None),
    ("null", None),
    ("try_cast(crm as number) + try_cast(crm as double)", Type.NUMBER),
    ("round(employees) + round(employees, 2)", Type.NUMBER),
    ("coalesce(seniority, crm, 'x')", Type.TEXT),
    ("nullif(employees, 0)", Type.NUMBER),
    ("pow(2, ceiling(1.5))", Type.NUMBER),
    ("substring(crm, 1, 2)", Type.TEXT),
    ("at < date and \"end\" = 'x' and select > left", Type.BOOL),
    ("größe > 5", Type.BOOL),
    ("Größe > 5", Type.BOOL),
    (" \n employees\t>\r\n 5 ", Type.BOOL),
]


@pytest.mark.parametrize(("text", "kind"), TYPES)
def test_accepted(text, kind):
    expression = parse_expression(text, NAMES)
    assert expression.type is kind
    assert expression.text == text


def test_names_match_whatever_their_case_and_come_in_lower_case():
    expression = parse_condition("SENIORITY = 'vp' and \"Employees\" > 5 and seniority <> 'x'", NAMES)
    assert expression.names == {"seniority", "employees"}


def test_names_of_types_functions_and_texts_are_not_among_the_names():
    assert parse_expression("try_cast(lower('employees') as number)", NAMES).names == frozenset()


def test_a_text_may_hold_anything():
    expression = parse_condition("crm = '; drop table leads; -- /* \"x\" ${y} {{z}} \\'", NAMES)
    assert expression.tree.args["expression"].name == '; drop table leads; -- /* "x" ${y} {{z}} \\'


def test_precedence():
    one = parse_condition("free_mail or free_mail and not crm = 'x' || 'y'", NAMES)
    two = parse_condition("(free_mail or (free_mail and (not (crm = ('x' || 'y')))))", NAMES)
    assert one.tree == two.tree
    assert parse_expression("1 - 2 - 3", NAMES).tree == parse_expression("(1 - 2) - 3", NAMES).tree
    assert parse_expression("-clicks * 2", NAMES).tree == parse_expression("(-clicks) * 2", NAMES).tree


def test_times_with_an_offset_are_taken_to_utc():
    one = parse_expression("TIMESTAMP '2026-01-31T01:30:00+02:00'", NAMES)
    assert one.tree == parse_expression("TIMESTAMP '2026-01-30 23:30:00'", NAMES).tree


def test_expressions_are_values():
    assert parse_condition("employees > 5", NAMES) == parse_condition("employees > 5", NAMES)
    assert isinstance(parse_condition("free_mail", NAMES), Expression)


def test_long_chains_of_conditions_are_no_deep_trees():
    text = " or ".join(f"employees = {number}" for number in range(900))
    assert parse_condition(text, NAMES).type is Type.BOOL


@pytest.mark.parametrize(
    ("text", "kind"),
    [("employees", "a number"), ("crm", "text"), ("created_at", "a time"), ("null", "always missing")],
)
def test_a_condition_is_true_or_false(text, kind):
    with pytest.raises(ExpressionError) as raised:
        parse_condition(text, NAMES)
    assert raised.value.problems == [Problem(f"a condition must be true or false; this is {kind}", 1, 1)]


def test_the_error_carries_its_facts():
    with pytest.raises(LeadlightError) as raised:
        parse_condition("employees > 5\n  and clicks = 'x'", NAMES)
    error = raised.value
    message = "'clicks' is a number and \"'x'\" is text, so they cannot be compared"
    assert isinstance(error, ExpressionError)
    assert error.problems == [Problem(message, 2, 7)]
    assert error.text == "employees > 5\n  and clicks = 'x'"
    assert str(error) == f"2:7: {message}"
    assert error.exit_code == 3
