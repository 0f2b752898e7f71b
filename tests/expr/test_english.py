"""Expressions as sentences."""

from __future__ import annotations

import pytest

from leadlight.expr.english import to_english
from leadlight.expr.functions import FUNCTIONS, Words
from leadlight.expr.parse import parse_expression
from leadlight.expr.types import Type

NAMES = {
    "employees": Type.NUMBER,
    "pricing_views_30d": Type.NUMBER,
    "crm": Type.TEXT,
    "path": Type.TEXT,
    "free_mail": Type.BOOL,
    "created_at": Type.TIME,
    "as_of": Type.TIME,
}

SENTENCES = [
    ("crm = 'salesforce' and employees > 50", "crm is salesforce and employees is more than 50"),
    ("pricing_views_30d >= 3", "pricing views 30d is at least 3"),
    ("employees < 20000", "employees is less than 20,000"),
    ("employees <= 0.5", "employees is at most 0.5"),
    ("employees > -5", "employees is more than -5"),
    ("50 < employees", "employees is more than 50"),
    ("'x' = crm", "crm is x"),
    ("crm <> 'sap'", "crm is not sap"),
    ("not crm = 'sap'", "crm is not sap"),
    ("not crm <> 'sap'", "crm is sap"),
    ("crm = ''", "crm is “”"),
    ("crm = 'a, b'", "crm is “a, b”"),
    ("free_mail", "free mail"),
    ("not free_mail", "not free mail"),
    ("free_mail is true", "free mail is true"),
    ("free_mail is not true", "free mail is not true"),
    ("crm is null", "crm is missing"),
    ("crm is not null", "crm is known"),
    ("crm in ('a')", "crm is a"),
    ("crm in ('a', 'b', 'c')", "crm is a, b or c"),
    ("crm not in ('a', 'b')", "crm is not a or b"),
    ("employees between 10 and 200", "employees is from 10 to 200"),
    ("employees not between 10 and 200", "employees is not from 10 to 200"),
    ("path like '/pricing%'", "path starts with /pricing"),
    ("path like '%.pdf'", "path ends with .pdf"),
    ("path like '%demo%'", "path contains demo"),
    ("path like 'demo'", "path is demo"),
    ("path not like '/pricing%'", "path does not start with /pricing"),
    ("not path like '%demo%'", "path does not contain demo"),
    ("path ilike '%Demo%'", "path contains Demo"),
    ("path ilike '%a%' or path ilike '%b%' or path like '%c%'", "path contains a, b or c"),
    (
        "path like '%a' or crm = 'x' or path like '%b' or path like '%c'",
        "path ends with a or crm is x or path ends with b or c",
    ),
    ("path like '%a%' or crm like '%a%'", "path contains a or crm contains a"),
    ("path like 'a%b_'", "path looks like “a%b_”"),
    ("path like '100!%%' escape '!'", "path starts with 100%"),
    ("path not like '100!%%' escape '!'", "path does not start with 100%"),
    ("starts_with(path, '/a') or contains(path, 'b')", "path starts with /a or path contains b"),
    ("not contains(path, 'b')", "path does not contain b"),
    ("contains_any(path, 'crash', 'hang', 'data loss')", "path has the words crash, hang or data loss"),
    ("contains_any(path, 'crash')", "path has the word crash"),
    ("not contains_any(path, 'crash', 'hang')", "path has none of the words crash or hang"),
    ("not contains_any(path, 'crash')", "path lacks the word crash"),
    ("word_count(path) > 5", "the number of words of path is more than 5"),
    ("free_mail and (crm = 'a' or crm = 'b')", "free mail and (crm is a or crm is b)"),
    ("free_mail and crm = 'a' and crm is null", "free mail and crm is a and crm is missing"),
    ("not (free_mail and crm = 'a')", "not (free mail and crm is a)"),
    ("created_at > DATE '2026-03-12'", "created at is after 12 Mar 2026"),
    ("created_at <= TIMESTAMP '2026-03-12 09:30:00'", "created at is at or before 12 Mar 2026 09:30"),
    ("created_at = TIMESTAMP '2026-03-12 09:30:01'", "created at is 12 Mar 2026 09:30:01"),
    ("days_between(created_at, as_of) > 30", "the days from created at to as of is more than 30"),
    ("employees + 1 + 2 > 5", "(employees plus 1 plus 2) is more than 5"),
    ("employees / (pricing_views_30d - 1)", "employees divided by (pricing views 30d minus 1)"),
    ("employees % 2 * -employees", "(employees modulo 2) times minus employees"),
    ("crm || path", "crm followed by path"),
    ("case when free_mail then 1 else 0 end", "1 when free mail, otherwise 0"),
    ("case crm when 'a' then 1 when 'b' then 2 end", "1 when crm is a, 2 when crm is b, otherwise missing"),
    ("(employees > 5) = free_mail", "(employees is more than 5) is free mail"),
    ("null", "missing"),
    ("true", "true"),
    ("year(created_at) = 2026", "the year of created at is 2026"),
    ("weekday(created_at) in (6, 7)", "the day of the week (1 is Monday) of created at is 6 or 7"),
    ("coalesce(employees, 0) > 5", "employees (if missing, 0) is more than 5"),
    ("nullif(employees, 0)", "employees (missing if 0)"),
    ("greatest(employees, pricing_views_30d, 5)", "the greatest of employees, pricing views 30d and 5"),
    ("substr(crm, 1, 3) = 'abc'", "the first 3 characters of crm is abc"),
    ("substr(crm, 2, 3)", "3 characters of crm from character 2"),
    ("substr(crm, 2)", "crm from character 2"),
    ("round(employees) + round(employees, 1)", "employees rounded plus employees rounded to 1 digits"),
    ("try_cast(crm as number) > 5", "crm as a number is more than 5"),
    ("lower(trim(crm)) = 'x'", "crm without outer spaces in lower case is x"),
]


@pytest.mark.parametrize(("text", "sentence"), SENTENCES)
def test_said(text, sentence):
    assert to_english(parse_expression(text, NAMES)) == sentence


def test_long_texts_are_cut():
    said = to_english(parse_expression(f"crm = '{'x' * 500}'", NAMES))
    assert said == f"crm is {'x' * 59}…"


def test_long_chains_are_said():
    text = " or ".join(["free_mail"] * 1000)
    assert to_english(parse_expression(text, NAMES)).count(" or ") == 999


ARGUMENTS = {
    frozenset({Type.NUMBER}): "employees",
    frozenset({Type.TEXT}): "crm",
    frozenset({Type.TIME}): "created_at",
    Words: "'crash'",
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_every_function_is_said(function):
    arguments = [ARGUMENTS.get(function.parameter(index), "employees") for index in range(function.least)]
    if function.name == "try_cast":
        arguments = ["crm as number"]
    if function.name == "substr":
        arguments = ["crm", "2"]
    said = to_english(parse_expression(f"{function.name}({', '.join(arguments)})", NAMES))
    assert "_" not in said
    assert arguments[0].partition(" as ")[0].replace("_", " ") in said
