"""Words that sqlglot would write in a way a dialect understands differently."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from leadlight.expr import build
from leadlight.expr.dialects import fit

CITY = build.col("city")
WORDS = exp.RegexpReplace(
    this=CITY, expression=build.text("a+"), replacement=build.text("w"), modifiers=build.text("g")
)
DAYS = build.days_between(build.col("a"), build.col("b"))


@pytest.mark.parametrize(
    ("tree", "dialect", "sql"),
    [
        (exp.Lower(this=exp.Upper(this=CITY)), "clickhouse", 'lowerUTF8(upperUTF8("city"))'),
        (exp.Substring(this=CITY, start=build.number(2)), "clickhouse", 'substringUTF8("city", 2)'),
        (WORDS, "duckdb", "REGEXP_REPLACE(\"city\", 'a+', 'w', 'g')"),
        (WORDS, "postgres", "REGEXP_REPLACE(\"city\", 'a+', 'w', 'g')"),
        (WORDS, "clickhouse", "replaceRegexpAll(\"city\", 'a+', 'w')"),
        *((WORDS, dialect, "REGEXP_REPLACE(\"city\", 'a+', 'w')") for dialect in ("snowflake", "trino")),
        *((WORDS, dialect, "REGEXP_REPLACE(`city`, 'a+', 'w')") for dialect in ("bigquery", "databricks", "spark")),
        (exp.RegexpLike(this=CITY, expression=build.text("a")), "snowflake", "REGEXP_INSTR(\"city\", 'a') > 0"),
        (exp.Lower(this=CITY), "postgres", 'LOWER("city")'),
        (exp.Exp(this=CITY), "duckdb", 'EXP("city")'),
        (exp.Exp(this=CITY), "postgres", 'CASE WHEN "city" < -700 THEN 0e0 ELSE EXP("city") END'),
        (DAYS, "bigquery", "CAST(DATETIME_DIFF(`b`, `a`, MICROSECOND) AS FLOAT64) / 86400000000.0"),
        (
            DAYS,
            "trino",
            "CAST(((TO_UNIXTIME(WITH_TIMEZONE(\"b\", 'UTC')) - TO_UNIXTIME(WITH_TIMEZONE(\"a\", 'UTC'))) * 1E6)"
            " AS DOUBLE) / 86400000000.0",
        ),
        (exp.TimestampTrunc(this=CITY, unit=exp.var("DAY")), "bigquery", "DATETIME_TRUNC(`city`, DAY)"),
    ],
)
def test_fit(tree, dialect, sql):
    before = tree.sql()
    assert fit(tree, dialect).sql(dialect, identify=True) == sql
    assert tree.sql() == before


def clickhouse(sql: str) -> str:
    return fit(sqlglot.parse_one(sql, dialect="duckdb"), "clickhouse").sql("clickhouse")


def test_clickhouse_is_told_what_each_column_is_called() -> None:
    assert clickhouse("SELECT l.lead, a.* FROM leads l JOIN a ON true").startswith("SELECT l.lead AS lead, a.* FROM")
    assert clickhouse("WITH u AS (SELECT x, y FROM t) SELECT u.*, z.k FROM u JOIN z ON true").endswith(
        'SELECT "u"."x" AS "x", "u"."y" AS "y", z.k AS k FROM u JOIN z ON TRUE'
    )


def test_clickhouse_keeps_constants_of_a_join() -> None:
    assert clickhouse("SELECT 5 AS n, count(*) AS c, x + 1 AS y FROM t") == (
        "SELECT materialize(5) AS n, COUNT(*) AS c, x + 1 AS y FROM t"
    )
