"""From what was found in a file of leads to a workspace that ingests it, with the reasons as comments."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.sources.discover import Discovered
from leadlight.sources.names import snake_case
from leadlight.sources.profile import SOURCE, opened, value_text
from leadlight.sources.read import Column
from leadlight.spec.catalog import OUTCOME
from leadlight.spec.load import WORKSPACE_FILE
from leadlight.spec.models import LearnSpec, OutcomeSpec, SourceSpec, WorkspaceSpec
from leadlight.store.sql import Sql, fill, joined, literal

COPY = "leads.parquet"
ROW = "row_number"
OPEN = "open"
"""What the outcome of leads is called that have none, where the file names only the won."""


def copy_reason(found: Discovered) -> str | None:
    """Say why the file cannot be ingested as it is and a mended copy is needed; None where it can."""
    if found.id.column is None:
        return "no column names the lead, so the rows are numbered"
    if found.waiting:
        return "leads whose outcome is not decided have none"
    if found.dated and found.lost_at.column not in (None, found.closed_at.column):
        return "the times of wins and losses stand in two columns"
    if found.dated and not found.final:
        return "only a win has a time, so only a win is an outcome"
    if not found.lose and not found.dated:
        return f"the file names only the won, so the others are called {OPEN!r}"
    return None


def to_workspace(found: Discovered, folder: Path, *, store: str = "duckdb:leadlight.duckdb") -> WorkspaceSpec:
    """Return the workspace of a file, as it is written into `folder` by `write_workspace`.

    Where outcomes have times, those decided are excluded from rankings. An outcome without a time is never known as of
    a moment, so no condition can exclude its lead: `open_leads` says who is to be ranked.
    """
    return WorkspaceSpec(
        store=store,
        sources={SOURCE: _source(found, folder)},
        outcome=_outcome(found),
        exclude="outcome is not null" if found.dated else None,
        learn=LearnSpec(order=found.order.column.name) if found.order.column is not None else LearnSpec(),
    )


def open_leads(engine: Engine, found: Discovered) -> list[int]:
    """Return the keys of the leads to rank, from a store that the file was read into: not won, nor lost for good."""
    closing = [*found.win, *(found.lose if found.final else ())]
    values = ", ".join("?" for _ in closing)
    rows = engine.rows(
        fill(
            "SELECT l.lead FROM leads l WHERE NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.lead = l.lead AND "
            "o.outcome IN ({values})) ORDER BY l.lead",
            values=Sql(values),
        ),
        closing,
    )
    return [int(lead) for (lead,) in rows]


def write_workspace(found: Discovered, folder: Path) -> WorkspaceSpec:
    """Write `leadlight.yaml`, and the mended copy where one is needed; return what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    if copy_reason(found) is not None:
        _write_copy(found, folder / COPY)
    (folder / WORKSPACE_FILE).write_text(workspace_text(found, folder), encoding="utf-8")
    return to_workspace(found, folder)


def workspace_text(found: Discovered, folder: Path) -> str:
    """Return the workspace as YAML, each choice with its reason behind it."""
    spec = to_workspace(found, folder)
    lines = [
        f"# What was found in {found.file.name}, and why. Change what is not so, then `leadlight ingest`.",
        f"# {found.won:,} won, {found.lost:,} {'lost' if found.final else 'not won'}, {found.open:,} open.",
        *(f"# {note}" for note in found.notes),
        f"entity: {spec.entity}",
        f"store: {spec.store}",
        "",
        "sources:",
        f"  {SOURCE}:",
        *_source_lines(found, spec.sources[SOURCE]),
        "",
        f"# {found.outcome.why}",
        *_map_lines("outcome", _plain(spec.outcome)),
    ]
    if spec.exclude is not None:
        lines += ["", "# Those decided are not ranked.", f"exclude: {_scalar(spec.exclude)}"]
    if spec.learn.order is not None:
        lines += ["", f"# {found.order.why}", f"learn: {{order: {spec.learn.order}}}"]
    return "\n".join(lines) + "\n"


# ------------------------------------------------------------------------------------------------------- the spec


def _source(found: Discovered, folder: Path) -> SourceSpec:
    copied = copy_reason(found) is not None
    roles = {
        "id": found.id,
        "created_at": found.created_at,
        "account": found.account,
        "outcome": found.outcome,
        "at": found.closed_at,
        "value": found.worth,
    }
    columns: dict[str, Column] = {role: choice.column for role, choice in roles.items() if choice.column is not None}
    if not found.dated:
        columns.pop("at", None)
    named: dict[str, Any] = {role: column.name if copied else column.header for role, column in columns.items()}
    if copied:
        return SourceSpec(parquet=COPY, merge_by=_merge_by(found), **{"id": _row_name(found), **named})
    plain = found.source
    where: dict[str, Any] = {plain.format: _path(found.file, folder)}
    return SourceSpec(
        **where,
        **named,
        merge_by=_merge_by(found),
        missing=plain.missing,
        dates=plain.dates,
        decimal=plain.decimal,
    )


def _merge_by(found: Discovered) -> str | None:
    return found.email.column.name if found.merge_by_email and found.email.column is not None else None


def _row_name(found: Discovered) -> str:
    names = {column.name for column in found.columns}
    return next(name for name in (ROW, *(f"{ROW}_{n}" for n in range(2, len(names) + 3))) if name not in names)


def _path(file: Path, folder: Path) -> str:
    """Return the way from the folder to the file, as it stays true when both move."""
    return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()


def _outcome(found: Discovered) -> OutcomeSpec:
    assert found.outcome.column is not None
    name = snake_case(found.outcome.column.name if copy_reason(found) else found.outcome.column.header) or OUTCOME
    lose = found.lose or ((OPEN,) if not found.dated else ())
    may_be_yet = not found.final and found.created_at.column is not None  # and the youngest are too young to know
    stated = bool(lose) and not may_be_yet
    return OutcomeSpec(
        win=f"{name} in ({_values(found, found.win)})",
        lose=f"{name} in ({_values(found, lose)})" if stated else None,
        horizon=timedelta(days=found.horizon),
    )


def _values(found: Discovered, values: Sequence[str]) -> str:
    """Write values of the outcome into a condition; a copy has them all as text."""
    assert found.outcome.column is not None
    as_text = copy_reason(found) is not None or found.outcome.column.type is Type.TEXT
    return ", ".join(literal(value) if as_text else value for value in values)


# ------------------------------------------------------------------------------------------------------- the copy


def _write_copy(found: Discovered, target: Path) -> None:
    """Write the file's rows as Parquet: numbered where they have no id, and with outcomes of those decided only."""
    with opened(found.file, found.source) as (engine, reading):
        replaced = _replaced(found)
        columns = [
            fill("{value} AS {name}", value=replaced[column.name], name=column.name)
            if column.name in replaced
            else fill("{name}", name=column.name)
            for column in reading.columns
            if column == found.closed_at.column or column != found.lost_at.column
        ]
        if found.id.column is None:
            columns.insert(0, fill("(row_number() OVER (ORDER BY _place))::VARCHAR AS {row}", row=_row_name(found)))
        engine.execute(
            fill(
                "COPY (SELECT {columns} FROM {table} ORDER BY _place) TO {target} (FORMAT parquet)",
                columns=joined(columns),
                table=reading.table,
                target=literal(str(target)),
            )
        )


def _replaced(found: Discovered) -> dict[str, Sql]:
    """Return what stands in the copy for columns that are not copied as they are."""
    assert found.outcome.column is not None
    replaced = {found.outcome.column.name: _copied_outcome(found)}
    if found.closed_at.column is not None:
        name, decided = found.closed_at.column.name, _decided(found)
        at = fill("{name}", name=name)
        if found.lost_at.column is not None:
            is_won = fill(
                "{value} IN ({values})",
                value=value_text(found.outcome.column),
                values=joined(map(literal, found.win)),
            )
            at = fill(
                "CASE WHEN {won} THEN {name} ELSE {lost} END", won=is_won, name=name, lost=found.lost_at.column.name
            )
        replaced[name] = fill("CASE WHEN {decided} THEN {at} END", decided=decided, at=at)
    return replaced


def _decided(found: Discovered) -> Sql:
    """Return a condition: this row's outcome is one."""
    assert found.outcome.column is not None
    values = found.win if found.dated and not found.final else (*found.win, *found.lose)
    value = value_text(found.outcome.column)
    return fill("{value} IN ({values})", value=value, values=joined(map(literal, values)))


def _copied_outcome(found: Discovered) -> Sql:
    assert found.outcome.column is not None
    value = value_text(found.outcome.column)
    kept = fill("CASE WHEN {decided} THEN {value} END", decided=_decided(found), value=value)
    if found.lose or found.dated:
        return kept
    return fill("coalesce({kept}, {open})", kept=kept, open=literal(OPEN))


# ------------------------------------------------------------------------------------------------------- the text


def _source_lines(found: Discovered, source: SourceSpec) -> Iterator[str]:
    if reason := copy_reason(found):
        yield f"    # A copy of {found.file.name}: {reason}."
    reasons = {
        "id": found.id,
        "created_at": found.created_at,
        "account": found.account,
        "outcome": found.outcome,
        "at": found.closed_at,
        "value": found.worth,
        "merge_by": found.email,
    }
    for key, value in _plain(source).items():
        why = reasons.get(key)
        shown = f"    {key}: {_scalar(value)}"
        yield shown if why is None or key == "outcome" else f"{shown}    # {why.why}"
    if source.merge_by is None:
        yield "    merge_by: null    # rows of one address are not taken for one lead"


def _map_lines(key: str, values: dict[str, Any]) -> Iterator[str]:
    yield f"{key}:"
    yield from (f"  {name}: {_scalar(value)}" for name, value in values.items())


def _plain(spec: Any) -> dict[str, Any]:
    """Return what a spec says beyond its defaults, as plain values."""
    values: dict[str, Any] = spec.model_dump(exclude_defaults=True, exclude_none=True)
    return {
        key: f"{value.days}d" if isinstance(value, timedelta) else value
        for key, value in values.items()
    }  # fmt: skip


def _scalar(value: Any) -> str:
    """Write a value as YAML, of which JSON is a part."""
    return json.dumps(value, ensure_ascii=False)
