"""The whole ranking as a table: CSV, Parquet, or a table in the store."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from leadlight.engines.base import Engine
from leadlight.engines.desk import desk
from leadlight.errors import UsageError
from leadlight.scorecards.compile import CAP, TOTAL, Options, carried, chance_columns
from leadlight.scorecards.places import Way, days_left, due, group_text, names_of, order_by
from leadlight.scorecards.rank import REASONS, scored
from leadlight.spec.models import ScorecardSpec
from leadlight.spec.readable import Readable
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import Sql, fill, joined, literal, quoted

RISKY = r"^[=+\-@\t\r\n]"
"""How a text starts that a spreadsheet would take for a formula."""


@dataclass(frozen=True, slots=True, repr=False)
class Exported(Readable):
    """What was written, and where."""

    target: str
    format: str
    rows: int

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as plain JSON values."""
        return {"target": self.target, "format": self.format, "rows": self.rows}

    def __str__(self) -> str:
        return f"{self.rows:,} rows written to {self.target} ({self.format})"


def ranking_sql(scorecard: ResolvedScorecard, table: str, *, beside: Sequence[Sql] = (), safe: bool = False) -> Sql:
    """Return the query that turns a table of scores into the exported ranking, the best first.

    Columns: rank, what stands `beside` it, the key (`id` or `account`), score, chances (see `chance_columns`), grade,
    gate, a column for each group's total, the top reasons as one text, then every contribution. With `safe`, texts that
    a spreadsheet would take for a formula get an apostrophe in front.
    """
    spec = scorecard.spec
    graded = ["grade", "gate"] if spec.grades is not None else []
    caps = [f"{name}{CAP}" for name, group in spec.groups.items() if group.cap != (None, None)]
    texts = [
        fill("{value} AS {name}", value=shown(quoted(name), safe=safe), name=name) for name in [_id(spec), *graded]
    ]
    columns = [
        fill("row_number() OVER (ORDER BY {order}) AS rank", order=order_by(scorecard)),
        *beside, texts[0], Sql("as_of, score"), *map(quoted, chance_columns(spec)), *texts[1:],
        *(fill("{total} AS {name}", total=f"{name}{TOTAL}", name=name) for name in spec.groups),
        fill("{reasons} AS reasons", reasons=shown(_reasons(scorecard), safe=safe)),
        *(quoted(criterion.key) for criterion in scorecard.criteria), *map(quoted, caps),
    ]  # fmt: skip
    return fill("SELECT {columns} FROM {table} ORDER BY rank", columns=joined(columns), table=table)


def _beside(workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, way: Way, *, safe: bool) -> list[Sql]:
    """Return the columns of the group, the rank within it, and the deadline, as far as there are any.

    One that is called like a group of the scorecard gets an underscore behind its name.
    """
    columns: dict[str, Sql] = {}
    if way.per is not None:
        group = group_text(workspace, scorecard, way.per)
        order = order_by(scorecard)
        within = fill("row_number() OVER (PARTITION BY {group} ORDER BY {order})", group=group, order=order)
        columns |= {"group": shown(group, safe=safe), "rank_in_group": within}
    deadline = due(workspace, scorecard)
    if deadline is not None:
        columns |= {"deadline": quoted(carried(deadline)), "days_left": days_left(deadline)}
    taken = scorecard.spec.groups
    return [
        fill("{value} AS {name}", value=value, name=f"{name}_" if name in taken else name)
        for name, value in columns.items()
    ]


def _id(spec: ScorecardSpec) -> str:
    return "id" if spec.of == "lead" else "account"


def _reasons(scorecard: ResolvedScorecard) -> Sql:
    """Return the largest contributions of either sign as one text, the gate first."""
    items = [
        fill("struct_pack(size := abs({key}), points := {key}, name := {name})", key=c.key, name=literal(c.spec.name))
        for c in scorecard.criteria
    ]
    if not items:
        return Sql("''")
    text = fill(
        "list_aggregate(list_transform(list_reverse_sort(list_filter([{items}], lambda x: x.size > 1e-9))[1:{most}], "
        "lambda x: x.name || ' ' || printf('%+g', round(x.points, 1))), 'string_agg', '; ')",
        items=joined(items),
        most=Sql(str(REASONS)),
    )
    if scorecard.spec.grades is None:
        return fill("coalesce({text}, '')", text=text)
    return fill("concat_ws('; ', gate || ': grade ' || grade, {text})", text=text)


def shown(value: Sql, *, safe: bool) -> Sql:
    """Return a text as a column; with `safe`, an apostrophe goes before what a spreadsheet takes for a formula."""
    if not safe:
        return value
    return fill(
        "CASE WHEN regexp_matches({value}, {risky}) THEN '''' || {value} ELSE {value} END",
        value=value,
        risky=literal(RISKY),
    )


def export(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    target: str,
    *,
    among: Sequence[int] | None = None,
    per: str | None = None,
) -> Exported:
    """Write the ranking of everybody, or only the leads `among`: `*.csv`, `*.parquet`, or `table:NAME` in the store.

    With `per`, an attribute or feature, there are columns for its value (`group`) and the rank within it. Raises
    UsageError for any other target.
    """
    kind = "table" if target.startswith("table:") else Path(target).suffix.lower().lstrip(".")
    if kind not in ("csv", "parquet", "table"):
        raise UsageError(f"cannot write {target!r}", fix="Name a file *.csv or *.parquet, or table:NAME.")
    way = Way(per=per)
    options = Options(carry=names_of(workspace, scorecard, way))
    beside = _beside(workspace, scorecard, way, safe=kind == "csv")
    with scored(engine, workspace, scorecard, as_of, options=options, among=among) as table:
        rows = int(engine.rows(fill("SELECT count(*) FROM {table}", table=table))[0][0])
        query = ranking_sql(scorecard, table, beside=beside, safe=kind == "csv")
        if kind == "table":
            _to_table(engine, target.removeprefix("table:"), query, table=table)
        else:
            to_file(engine, Path(target), kind, query, table=table)
    return Exported(target, kind, rows)


EXPORTED = "_exported"


def _to_table(engine: Engine, name: str, query: Sql, *, table: str) -> None:
    """Put the ranking into a table of the store, in place of an earlier export of that name."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", name) or name.lower() in _ours(engine):
        raise UsageError(f"{name!r} cannot be the name of an export", fix="Name another: letters, digits, underscore.")
    with engine.transaction():
        engine.execute("DELETE FROM names WHERE kind = 'export' AND name = ?", [name])
        engine.execute("INSERT INTO names VALUES ('export', ?, 'table', 'export')", [name])
        engine.execute(fill("DROP TABLE IF EXISTS {name}", name=name))
        with desk(engine, table) as beside:
            beside.execute(fill("CREATE TEMP TABLE {table} AS {query}", table=EXPORTED, query=query))
            if beside is not engine:
                engine.take(EXPORTED, beside.batches(EXPORTED))
        engine.execute(fill("CREATE TABLE {name} AS SELECT * FROM {table}", name=name, table=EXPORTED))
        engine.execute(fill("DROP TABLE {table}", table=EXPORTED))


def to_file(engine: Engine, target: Path, kind: str, query: Sql, *, table: str) -> None:
    """Write a file of a query on a temporary table, whole or not at all."""
    if target.is_dir() or not target.parent.is_dir():
        raise UsageError(f"cannot write {target}", fix="Name a file in a folder that exists.")
    unfinished = target.with_name(f".{target.name}.unfinished")
    how = Sql("FORMAT csv, HEADER" if kind == "csv" else "FORMAT parquet")
    with desk(engine, table) as beside:
        beside.execute(fill("COPY ({query}) TO {path} ({how})", query=query, path=literal(str(unfinished)), how=how))
    unfinished.replace(target)


def _ours(engine: Engine) -> set[str]:
    """Return the names of the tables that are not exports."""
    exported = {str(row[0]).lower() for row in engine.rows("SELECT name FROM names WHERE kind = 'export'")}
    found = [(name.lower(),) for name in engine.tables()]
    return {str(row[0]) for row in found} - exported
