"""Where sqlglot's words for a dialect mean something else there, or nothing at all: the last change before printing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

SMALLEST_EXPONENT = -700
"""e^-700 is about 1e-304, close to the smallest double that has all its digits."""


def fit(tree: exp.Expr, dialect: str) -> exp.Expr:
    """Return the tree with the words that a dialect needs; the tree given is not changed.

    >>> fit(exp.Lower(this=exp.column("city")), "clickhouse").sql("clickhouse")
    'lowerUTF8(city)'
    """
    rules = _RULES.get(dialect)
    if rules is None:
        return tree
    tree = _without_stars(tree.copy()) if dialect == "clickhouse" else tree.copy()
    for node in reversed(list(tree.walk(bfs=True))):  # what is inside comes first
        rule = rules.get(type(node))
        if rule is not None:
            changed = rule(node)
            tree = changed if node is tree else tree
            node.replace(changed)
    return tree


def _lower_of_characters(node: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="lowerUTF8", expressions=[node.this])


def _upper_of_characters(node: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="upperUTF8", expressions=[node.this])


def _part_of_characters(node: exp.Expr) -> exp.Expr:
    bounds = [node.args.get("start"), node.args.get("length")]
    return exp.Anonymous(this="substringUTF8", expressions=[node.this, *(each for each in bounds if each is not None)])


def _without_stars(tree: exp.Expr) -> exp.Expr:
    """Write out what `*` means: ClickHouse takes the table's name along where two tables of a join share a name.

    Only what the statement itself has defined, in WITH, is read with a star.
    """
    defined: dict[str, list[str]] = {}
    for part in (*tree.find_all(exp.CTE, bfs=False), tree):
        select = part.this if isinstance(part, exp.CTE) else part
        if isinstance(select, exp.Select):
            _expand(select, defined)
        if isinstance(part, exp.CTE) and isinstance(part.this, exp.Query):
            defined[part.alias] = part.this.named_selects
    return tree


def _expand(select: exp.Select, defined: Mapping[str, list[str]]) -> None:
    tables = {table.alias_or_name: table.name for table in select.find_all(exp.Table) if table.parent_select is select}
    columns: list[exp.Expr] = []
    for item in select.expressions:
        wanted = [item.table] if isinstance(item, exp.Column) and item.table else list(tables)
        if item.is_star and all(tables.get(table) in defined for table in wanted):
            columns += [exp.column(name, table, quoted=True) for table in wanted for name in defined[tables[table]]]
        else:
            columns.append(item)
    select.set("expressions", columns)


def _named_columns(node: exp.Expr) -> exp.Expr:
    """Say what each column is called and make each constant a column, as ClickHouse goes wrong otherwise.

    It calls a column of a join `l.lead` where the other side has one too; and it loses a constant that comes out of the
    left side of a join whose right side has no rows (seen in 26.9: `as_of` was 1970).
    """
    named = node.copy()
    for column in named.expressions:
        if isinstance(column, exp.Column) and column.table and not isinstance(column.this, exp.Star):
            column.replace(exp.Alias(this=column.copy(), alias=column.this.copy()))
        elif isinstance(column, exp.Alias) and column.this.find(exp.Column, exp.AggFunc, exp.Window, exp.Query) is None:
            column.set("this", exp.Anonymous(this="materialize", expressions=[column.this.copy()]))
    return named


def _by_unix_time(node: exp.Expr) -> exp.Expr:
    """Trino's date_diff knows nothing below milliseconds; unix times are doubles, exact to a fraction of one."""
    if str(node.args["unit"].name).upper() != "MICROSECOND":
        return node
    end, start = (
        exp.Anonymous(
            this="to_unixtime",
            expressions=[exp.Anonymous(this="with_timezone", expressions=[moment, exp.Literal.string("UTC")])],
        )
        for moment in (node.this, node.args["expression"])
    )
    seconds = exp.Paren(this=exp.Sub(this=end, expression=start))
    return exp.Paren(this=exp.Mul(this=seconds, expression=exp.Literal.number("1E6")))


def _exp_without_underflow(node: exp.Expr) -> exp.Expr:
    """PostgreSQL raises an error where the result is too small for a double; the others give 0."""
    tiny = exp.LT(this=node.this.copy(), expression=exp.Literal.number(SMALLEST_EXPONENT))
    return exp.Case(ifs=[exp.If(this=tiny, true=exp.Literal.number("0e0"))], default=exp.Exp(this=node.this.copy()))


def _all_matches_are_replaced(node: exp.Expr) -> exp.Expr:
    """Spell REGEXP_REPLACE of every match where that is what it does anyway, and a flag would be something else."""
    return exp.Anonymous(this="REGEXP_REPLACE", expressions=_replaced(node))


def _global_replacement(node: exp.Expr) -> exp.Expr:
    """sqlglot adds a second "g" for PostgreSQL, which takes it, but nobody should have to read that."""
    return exp.Anonymous(this="REGEXP_REPLACE", expressions=[*_replaced(node), exp.Literal.string("g")])


def _replace_all(node: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="replaceRegexpAll", expressions=_replaced(node))


def _replaced(node: exp.Expr) -> list[exp.Expr]:
    return [node.this, node.args["expression"], node.args["replacement"]]


def _found_anywhere(node: exp.Expr) -> exp.Expr:
    """Snowflake's REGEXP_LIKE wants the whole text to match."""
    place = exp.Anonymous(this="REGEXP_INSTR", expressions=[node.this, node.args["expression"]])
    return exp.GT(this=place, expression=exp.Literal.number(0))


def _characters(node: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="char_length", expressions=[node.this])


def _datetime_diff(node: exp.Expr) -> exp.Expr:
    return exp.DatetimeDiff(this=node.this, expression=node.args["expression"], unit=node.args["unit"])


def _datetime_trunc(node: exp.Expr) -> exp.Expr:
    return exp.DatetimeTrunc(this=node.this, unit=node.args["unit"])


_RULES: Mapping[str, Mapping[type[exp.Expr], Callable[[exp.Expr], exp.Expr]]] = {
    # lower, upper and substring count bytes in ClickHouse, and columns of a join may take their table's name along
    "clickhouse": {
        exp.Lower: _lower_of_characters,
        exp.Upper: _upper_of_characters,
        exp.Substring: _part_of_characters,
        exp.Select: _named_columns,
        exp.RegexpReplace: _replace_all,
    },
    "postgres": {exp.Exp: _exp_without_underflow, exp.RegexpReplace: _global_replacement},
    "trino": {exp.DateDiff: _by_unix_time, exp.RegexpReplace: _all_matches_are_replaced},
    "snowflake": {exp.RegexpReplace: _all_matches_are_replaced, exp.RegexpLike: _found_anywhere},
    "databricks": {exp.RegexpReplace: _all_matches_are_replaced},
    "spark": {exp.RegexpReplace: _all_matches_are_replaced},
    # a naive time is a DATETIME in BigQuery, which has functions of its own
    "bigquery": {
        exp.DateDiff: _datetime_diff,
        exp.TimestampTrunc: _datetime_trunc,
        exp.RegexpReplace: _all_matches_are_replaced,
    },
}
