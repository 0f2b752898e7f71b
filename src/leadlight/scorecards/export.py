"""The whole ranking as a table: CSV, Parquet, or a table in the store."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from leadlight.engines.base import Engine
from leadlight.errors import UsageError
from leadlight.scorecards.compile import CAP, TOTAL
from leadlight.scorecards.rank import REASONS, order_by, scored
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace

RISKY = r"^[=+\-@\t\r\n]"
"""How a text starts that a spreadsheet would take for a formula."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and where."""

    target: str
    format: str
    rows: int

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as plain JSON values."""
        return {"target": self.target, "format": self.format, "rows": self.rows}

    def __str__(self) -> str:
        return f"{self.rows:,} rows written to {self.target} ({self.format})"


def ranking_sql(scorecard: ResolvedScorecard, table: str, *, safe: bool = False) -> str:
    """Return the query that turns a table of scores into the exported ranking, the best first.

    Columns: rank, the key (`id` or `account`), score, probability, grade, gate, a column for each group's total, the
    top reasons as one text, then every contribution. With `safe`, texts that a spreadsheet would take for a formula
    get an apostrophe in front.
    """
    spec = scorecard.spec
    key = "id" if spec.of == "lead" else "account"
    texts = [key] + (["grade", "gate"] if spec.grades is not None else [])
    columns = [f"row_number() OVER (ORDER BY {order_by(scorecard)}) AS rank", _text(key, safe=safe), "as_of", "score"]
    columns += ["probability"] if spec.calibration is not None else []
    columns += [_text(name, safe=safe) for name in texts[1:]]
    columns += [f'"{group}{TOTAL}" AS "{group}"' for group in spec.groups]
    reasons = _reasons(scorecard)
    columns.append(f"{_safe(reasons) if safe else reasons} AS reasons")
    columns += [f'"{criterion.key}"' for criterion in scorecard.criteria]
    columns += [f'"{group}{CAP}"' for group, group_spec in spec.groups.items() if group_spec.cap != (None, None)]
    return f'SELECT {", ".join(columns)} FROM "{table}" ORDER BY rank'


def _reasons(scorecard: ResolvedScorecard) -> str:
    """Return the largest contributions of either sign as one text, the gate first."""
    items = ", ".join(
        f'struct_pack(size := abs("{c.key}"), points := "{c.key}", name := {_literal(c.spec.name)})'
        for c in scorecard.criteria
    )
    if not items:
        return "''"
    best = f"list_reverse_sort(list_filter([{items}], lambda x: x.size > 1e-9))[1:{REASONS}]"
    shown = "x.name || ' ' || printf('%+g', round(x.points, 1))"
    text = f"list_aggregate(list_transform({best}, lambda x: {shown}), 'string_agg', '; ')"
    if scorecard.spec.grades is None:
        return f"coalesce({text}, '')"
    return f"concat_ws('; ', gate || ': grade ' || grade, {text})"


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _text(name: str, *, safe: bool) -> str:
    return f'{_safe(_quoted(name))} AS "{name}"' if safe else f'"{name}"'


def _quoted(name: str) -> str:
    return f'"{name}"'


def _safe(value: str) -> str:
    return f"CASE WHEN regexp_matches({value}, '{RISKY}') THEN '''' || {value} ELSE {value} END"


def export(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    target: str,
) -> Exported:
    """Write the ranking of everybody: `*.csv`, `*.parquet`, or `table:NAME` in the store.

    Raises UsageError for any other target.
    """
    with scored(engine, workspace, scorecard, as_of) as table:
        rows = int(engine.rows(f'SELECT count(*) FROM "{table}"')[0][0])
        if target.startswith("table:"):
            name = target.removeprefix("table:")
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", name) or name.lower() in _ours(engine):
                raise UsageError(f"{name!r} cannot be a table's name here", fix="Name another: letters, digits, _.")
            engine.execute(f'DROP TABLE IF EXISTS "{name}"')
            engine.execute(f'CREATE TABLE "{name}" AS {ranking_sql(scorecard, table)}')
            engine.execute("INSERT INTO names VALUES ('export', ?, 'table', 'export')", [name])
            return Exported(target, "table", rows)
        kind = Path(target).suffix.lower().lstrip(".")
        if kind not in ("csv", "parquet"):
            raise UsageError(f"cannot write {target!r}", fix="Name a file *.csv or *.parquet, or table:NAME.")
        how = "FORMAT csv, HEADER" if kind == "csv" else "FORMAT parquet"
        query = ranking_sql(scorecard, table, safe=kind == "csv")
        unfinished = Path(target).with_name(f".{Path(target).name}.unfinished")
        engine.execute(f"COPY ({query}) TO {_literal(str(unfinished))} ({how})")
        unfinished.replace(target)
        return Exported(target, kind, rows)


def _ours(engine: Engine) -> set[str]:
    """Return the names of the tables that are not exports."""
    exported = {str(row[0]).lower() for row in engine.rows("SELECT name FROM names WHERE kind = 'export'")}
    found = engine.rows("SELECT lower(table_name) FROM duckdb_tables() WHERE NOT temporary")
    return {str(row[0]) for row in found} - exported
