"""The statement of a scorecard over rows that are given with the question, and not read from a store.

It is the very statement that scores a store (`score_statement`), with the tables it reads put before it: each is made
of a parameter, the rows as JSON. DuckDB keeps the plan of a prepared statement only where it reads no table, because
statistics of a table might be in the plan; and planning is what scoring a lead costs: 30 ms of a processor, where
running the plan takes 3. It keeps none, too, where a parameter stands at two places; so each place has its own.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlglot import exp

from leadlight.engines.duckdb import CAPABILITIES
from leadlight.expr import build
from leadlight.expr.types import Type
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import Options, score_statement
from leadlight.spec.catalog import Catalog
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace

Rows = Sequence[Mapping[str, Any]]

TIME, TEXT, LEAD = CAPABILITIES.types[Type.TIME], CAPABILITIES.types[Type.TEXT], "INTEGER"
MEMBERS = "members"
"""The table, inside the statement, of whoever belongs to the accounts."""
WHENEVER = datetime(1970, 1, 1)  # noqa: DTZ001 - only its place in the statement is of use


@dataclass(frozen=True, slots=True)
class GivenStatement:
    """A statement to prepare in DuckDB, and what its parameters are."""

    text: str
    tables: Mapping[str, tuple[str, ...]]
    """The tables the statement reads, and the columns it needs of them; a parameter each."""
    moments: int
    """How often the as-of follows."""

    def parameters(self, rows: Mapping[str, Rows], as_of: datetime) -> list[Any]:
        """Return the values of the parameters: a table that has no rows may be left out."""
        given = [_written(rows.get(table, ()), columns) for table, columns in self.tables.items()]
        return [*given, *([as_of] * self.moments)]


def given_statement(
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    options: Options | None = None,
    *,
    without: Collection[str] = (),
) -> GivenStatement:
    """Return the statement that scores all leads (or accounts) that are given; the past of grades is not counted in.

    `without` names tables that have no rows whenever it is run, which saves setting up what reads them: of the
    documented ones, and `MEMBERS` where no lead has an account.
    """
    tree = score_statement(workspace, scorecard, Moment(as_of=WHENEVER, prepared=True), options or Options())
    for cte in tree.args["with_"].expressions:
        if cte.alias in without:
            cte.this.where(exp.false(), copy=False)
    read = _needed(tree, _columns(workspace.catalog))
    needed = {table: columns for table, columns in read.items() if table not in without}
    places = list(tree.find_all(exp.Parameter))
    for number, place in enumerate(places, start=len(needed) + 1):
        place.set("this", exp.Literal.number(number))
    for table, columns in read.items():
        if table in without:
            _put_first(tree, table, _nothing(columns))
    for number, (table, columns) in reversed(list(enumerate(needed.items(), start=1))):
        _put_first(tree, table, _unpacked(number, columns))
    text = build.to_text(tree, CAPABILITIES.dialect)
    return GivenStatement(text, {table: tuple(columns) for table, columns in needed.items()}, len(places))


def _columns(catalog: Catalog) -> dict[str, dict[str, str]]:
    """Return the documented tables: each column and its type."""
    attributes, account_attributes, properties = (
        {name: CAPABILITIES.types[kind] for name, kind in names.items()}
        for names in (catalog.attributes, catalog.account_attributes, catalog.properties)
    )
    period = {"account": TEXT, "known_at": TIME, "known_until": TIME}
    return {
        "leads": {"lead": LEAD, "id": TEXT, "created_at": TIME},
        "attributes": {"lead": LEAD, **period, **attributes},
        "account_attributes": {**period, **account_attributes},
        "events": {"lead": LEAD, "type": TEXT, "at": TIME, **properties},
        "outcomes": {"lead": LEAD, "at": TIME, "outcome": TEXT, "value": CAPABILITIES.types[Type.NUMBER]},
    }


def _needed(tree: exp.Select, tables: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return the tables that a statement reads, with the columns whose names it says."""
    read = {table.name for table in tree.find_all(exp.Table)}
    said = {column.name for column in tree.find_all(exp.Column)}
    return {
        table: {name: kind for name, kind in columns.items() if name in said}
        for table, columns in tables.items()
        if table in read
    }


def _unpacked(number: int, columns: Mapping[str, str]) -> exp.Select:
    """Select the rows that a parameter holds as JSON."""
    text = exp.cast(exp.Parameter(this=exp.Literal.number(number)), exp.DType.TEXT)
    shape = build.text(json.dumps([dict(columns)]))
    rows = exp.Anonymous(this="from_json_strict", expressions=[text, shape])
    flat = exp.PropertyEQ(this=exp.to_identifier("recursive"), expression=exp.true())
    return exp.select(exp.Anonymous(this="unnest", expressions=[rows, flat]))


def _nothing(columns: Mapping[str, str]) -> exp.Select:
    """Select no row of these columns."""
    nulls = [exp.alias_(exp.cast(exp.Null(), kind), name, quoted=True) for name, kind in columns.items()]
    return exp.select(*nulls).where(exp.false(), copy=False)


def _put_first(tree: exp.Select, name: str, query: exp.Select) -> None:
    alias = exp.TableAlias(this=exp.to_identifier(name, quoted=True))
    tree.args["with_"].expressions.insert(0, exp.CTE(this=query, alias=alias))


def _written(rows: Rows, columns: Iterable[str]) -> str:
    names = list(columns)
    return json.dumps([{name: row.get(name) for name in names} for row in rows], default=datetime.isoformat)
