"""Our SQL, which is DuckDB's, in PostgreSQL's words: every statement is written once, and means the same on both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

from leadlight.expr.build import to_text

MICROSECOND = "1 microsecond"


@lru_cache(maxsize=2000)
def translated(sql: str) -> str:
    """Return a statement of DuckDB for PostgreSQL, its parameters numbered.

    >>> translated("SELECT lead FROM ids WHERE id = ? AND list_contains(?::VARCHAR[], kind)")
    'SELECT "lead" FROM "ids" WHERE "id" = $1 AND ("kind" = ANY(CAST($2 AS TEXT[])))'
    """
    return ";\n".join(to_text(_changed(part), "postgres") for tree in _parsed(sql) for part in _steps(tree))


def _steps(tree: exp.Expr) -> list[exp.Expr]:
    """CREATE OR REPLACE TABLE: make another, drop the old one, rename; the query may read the old one."""
    if not (isinstance(tree, exp.Create) and tree.args.get("replace") and tree.kind == "TABLE"):
        return [tree]
    tree.set("replace", False)
    table = tree.find(exp.Table)
    assert table is not None
    name, fresh = table.name, f"{table.name}__new"
    table.set("this", exp.to_identifier(fresh, quoted=True))
    after = f'DROP TABLE IF EXISTS "{name}"; ALTER TABLE "{fresh}" RENAME TO "{name}"'
    return [tree, *(step for step in sqlglot.parse(after, read="duckdb") if step is not None)]


def insert_by_name(sql: str) -> tuple[str, str] | None:
    """Return the table and the query of an INSERT … BY NAME, for PostgreSQL, which has no such thing; else None."""
    if "BY NAME" not in sql or not sql.lstrip().upper().startswith("INSERT"):
        return None
    return _insert_by_name(sql)


@lru_cache(maxsize=500)
def _insert_by_name(sql: str) -> tuple[str, str] | None:
    tree = _parsed(sql)[0]
    if not isinstance(tree, exp.Insert) or not tree.args.get("by_name"):
        return None
    return tree.this.sql("postgres", identify=True), to_text(_changed(tree.expression), "postgres")


def _parsed(sql: str) -> list[exp.Expr]:
    return [tree for tree in sqlglot.parse(numbered(sql), read="duckdb") if tree is not None]


def numbered(sql: str) -> str:
    """Number the parameters.

    >>> numbered("SELECT ?, '?', ?")
    "SELECT $1, '?', $2"
    """
    places = [token.start for token in DuckDB().tokenize(sql) if token.text.startswith("?") and sql[token.start] == "?"]
    if not places:
        return sql
    parts, last = [], 0
    for number, place in enumerate(places, 1):
        parts += [sql[last:place], f"${number}"]
        last = place + 1
    return "".join([*parts, sql[last:]])


def _changed(tree: exp.Expr) -> exp.Expr:
    """Return the tree with what DuckDB alone has put otherwise."""
    for node in reversed(list(tree.walk(bfs=True))):  # what is inside comes first
        rule = _RULES.get(type(node))
        if rule is None:
            continue
        changed = rule(node)
        if changed is not node:
            tree = changed if node is tree else tree
            node.replace(changed)
    return tree


# ------------------------------------------------------------------------------------------------------ functions


def _anonymous(node: exp.Expr) -> exp.Expr:
    assert isinstance(node, exp.Anonymous)
    rule = _FUNCTIONS.get(str(node.this).lower())
    return node if rule is None else rule(*node.expressions)


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _times_microsecond(count: exp.Expr) -> exp.Expr:
    unit = exp.cast(exp.Literal.string(MICROSECOND), exp.DType.INTERVAL)
    return exp.Paren(this=exp.Mul(this=exp.Paren(this=count), expression=unit))


def _distinct(node: exp.Expr) -> exp.Expr:
    """Counted where DuckDB estimates."""
    return exp.Count(this=exp.Distinct(expressions=[node.this]))


def _contains(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=exp.GT(this=_call("strpos", node.this, node.expression), expression=exp.Literal.number(0)))


def _hash(*values: exp.Expr) -> exp.Expr:
    known = [exp.cast(value, exp.DType.TEXT) if isinstance(value, exp.Literal) else value for value in values]
    return _call("hash_record_extended", _call("ROW", *known), exp.Literal.number(0))


def _key(text: exp.Expr) -> exp.Expr:
    return exp.cast(_call("md5", text), exp.DType.UUID)


def _microseconds(node: exp.Expr) -> exp.Expr:
    """The microseconds between two times, in doubles: in numerics, as EXTRACT gives them, they take five times as long.

    Exact for 285 years; what is more is so to the fifteenth place.
    """
    assert isinstance(node, exp.DateDiff)
    if str(node.args.get("unit")).upper() != "MICROSECOND":
        return node
    end, start = (exp.Paren(this=exp.cast(time, exp.DType.TIMESTAMP)) for time in (node.this, node.expression))
    seconds = _call("date_part", exp.Literal.string("epoch"), exp.Sub(this=end, expression=start))
    return exp.cast(exp.Mul(this=seconds, expression=exp.Literal.number(1_000_000)), exp.DType.BIGINT)


_FUNCTIONS: Mapping[str, Callable[..., exp.Expr]] = {
    "to_microseconds": _times_microsecond,
    "md5_number": _key,
    "hash": _hash,
    "list_extract": lambda values, place: exp.Bracket(this=exp.Paren(this=values), expressions=[place], offset=1),
    "strlen": lambda value: _call("octet_length", value),
}


def _array_contains(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=exp.EQ(this=node.expression, expression=exp.Any(this=exp.Paren(this=node.this))))


def _sha256(node: exp.Expr) -> exp.Expr:
    taken = _call("sha256", _call("convert_to", node.this, exp.Literal.string("UTF8")))
    return _call("encode", taken, exp.Literal.string("hex"))


def _extreme(*, descending: bool) -> Callable[[exp.Expr], exp.Expr]:
    """arg_max and arg_min: the value of the row whose other value is the greatest (least); nulls are passed over."""

    def rule(node: exp.Expr) -> exp.Expr:
        value, by = node.this, node.expression
        present: exp.Expr = exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))
        if not isinstance(by, exp.Tuple):
            present = exp.and_(present, exp.Not(this=exp.Is(this=by.copy(), expression=exp.null())))
        parts = list(by.expressions) if isinstance(by, exp.Tuple) else [by]
        by_parts = [exp.Ordered(this=part, desc=descending, nulls_first=False) for part in parts]
        order = exp.Order(this=value, expressions=by_parts)
        outer = node.parent
        if isinstance(outer, exp.Filter):
            present = exp.and_(exp.Paren(this=outer.expression.this.copy()), present)
        taken = exp.Filter(this=exp.ArrayAgg(this=order), expression=exp.Where(this=present))
        return exp.Bracket(this=exp.Paren(this=taken), expressions=[exp.Literal.number(1)], offset=1)

    return rule


def _filter(node: exp.Expr) -> exp.Expr:
    """An arg_max has taken the condition of its FILTER already."""
    return node.this if isinstance(node.this, exp.Bracket) else node


# ---------------------------------------------------------------------------------------------------------- shapes


def _case(node: exp.Expr) -> exp.Expr:
    """As a condition, `CASE x WHEN 'a' THEN TRUE … ELSE FALSE END` is `x IN ('a', …)`, for which there are indexes."""
    assert isinstance(node, exp.Case)
    branches, otherwise = node.args["ifs"], node.args.get("default")
    if not isinstance(node.this, exp.Column) or not _is_condition(node) or not _says(otherwise, truth=False):
        return node
    if not all(isinstance(branch.this, exp.Literal) and _says(branch.args["true"], truth=True) for branch in branches):
        return node
    return exp.In(this=node.this, expressions=[branch.this for branch in branches])


def _says(node: exp.Expr | None, *, truth: bool) -> bool:
    return isinstance(node, exp.Boolean) and node.this is truth


def _is_condition(node: exp.Expr) -> bool:
    """Return whether rows are left out where it is not true, be it false or unknown."""
    outer = node.parent
    while isinstance(outer, exp.And | exp.Paren):
        outer = outer.parent
    return isinstance(outer, exp.Where)


def _group(node: exp.Expr) -> exp.Expr:
    """GROUP BY ALL: by everything selected that is no aggregate."""
    if not node.args.get("all"):
        return node
    select = node.parent
    assert isinstance(select, exp.Select)
    places = [
        exp.Literal.number(place) for place, item in enumerate(select.expressions, 1) if item.find(exp.AggFunc) is None
    ]
    return exp.Group(expressions=places)


def _join(node: exp.Expr) -> exp.Expr:
    """ASOF: for each row the last before it, by the one condition with `<=`, whose left side is the joined table's."""
    if str(node.args.get("method") or "").upper() != "ASOF":
        return node
    source = node.this
    alias = source.alias_or_name
    on = node.args["on"]
    later = next(on.find_all(exp.LTE))
    found = exp.select("*").from_(source.copy()).where(on.copy())
    found = found.order_by(exp.Ordered(this=later.this.copy(), desc=True, nulls_first=False)).limit(1)
    lateral = exp.Lateral(this=found.subquery(), alias=exp.TableAlias(this=exp.to_identifier(alias)))
    return exp.Join(this=lateral, on=exp.true())


def _unnest(node: exp.Expr) -> exp.Expr:
    """A series is a set of rows already."""
    inner = node.this if isinstance(node, exp.Explode) else next(iter(node.expressions), None)
    return inner if isinstance(inner, exp.GenerateSeries) else node


def _type(node: exp.Expr) -> exp.Expr:
    assert isinstance(node, exp.DataType)
    return exp.DataType.build("uuid") if node.this is exp.DType.UINT128 else node


def _column(node: exp.Expr) -> exp.Expr:
    if node.name.lower() != "rowid":
        return node
    changed = node.copy()
    changed.set("this", exp.to_identifier("ctid"))
    return changed


def _parameter(node: exp.Expr) -> exp.Expr:
    return exp.Var(this=f"${node.name}")


def _try_cast(node: exp.Expr) -> exp.Expr:
    """Null where a text is no value of the type."""
    kind = exp.Literal.string(node.args["to"].sql("postgres"))
    valid = _call("pg_input_is_valid", exp.cast(node.this.copy(), exp.DType.TEXT), kind)
    return exp.Case(ifs=[exp.If(this=valid, true=exp.Cast(this=node.this, to=node.args["to"]))])


def _hex(node: exp.Expr) -> exp.Expr:
    digits = _call("replace", exp.cast(node.this, exp.DType.TEXT), exp.Literal.string("-"), exp.Literal.string(""))
    return _call("upper", digits)


_RULES: Mapping[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Anonymous: _anonymous,
    exp.ArrayContains: _array_contains,
    exp.SHA2: _sha256,
    exp.ArgMax: _extreme(descending=True),
    exp.ArgMin: _extreme(descending=False),
    exp.Case: _case,
    exp.DateDiff: _microseconds,
    exp.Filter: _filter,
    exp.Group: _group,
    exp.Join: _join,
    exp.Unnest: _unnest,
    exp.Explode: _unnest,
    exp.DataType: _type,
    exp.Column: _column,
    exp.Parameter: _parameter,
    exp.Placeholder: _parameter,
    exp.IgnoreNulls: lambda node: node.this,  # of any_value, which does so everywhere
    exp.Contains: _contains,
    exp.TryCast: _try_cast,
    exp.ApproxDistinct: _distinct,
    exp.Hex: _hex,
    exp.LowerHex: _hex,
}
