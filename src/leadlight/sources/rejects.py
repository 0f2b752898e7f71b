"""Rows that could not be read: counted, explained, and written to a file that a spreadsheet opens safely."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import Fault, TooManyRejects, shorten
from leadlight.sources.form import Form, reason_sql
from leadlight.sources.layout import Slot
from leadlight.sources.lines import lines_of
from leadlight.sources.load import Loaded, checked
from leadlight.sources.part import Part, named, quoted
from leadlight.sources.where import NONE

MAX_REJECTS_WRITTEN = 100_000
MAX_REASONS_SHOWN = 10
MAX_VALUE = 1_000
HEADER = ("file", "line", "column", "value", "reason", "row")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Reject:
    """One value, or row, that could not be read; `column` is empty where the row as a whole is to blame."""

    file: str
    line: int
    column: str
    value: str
    reason: str
    row: str

    def as_fault(self) -> Fault:
        """Say it on one line, as `file:line: column: value reason`."""
        message = f"{shorten(self.value)} {self.reason}" if self.value else self.reason
        message = message if self.column else f"the row {self.reason}"
        return Fault(message, self.file, self.line, path=self.column or None)


@dataclass(frozen=True, slots=True)
class Rejected:
    """How many rows were rejected, by part and in all, out of how many."""

    by_part: tuple[int, ...]
    rows: int
    """All rows that are not blank, rejected ones included, those left out by `where` not."""
    left_out: int = 0
    """Rows for which `where` is not true."""

    @property
    def count(self) -> int:
        return sum(self.by_part)


def count_rejects(engine: DuckDBEngine, table: str, loaded: Sequence[Loaded], unmeant: str = NONE) -> Rejected:
    """Count rejected rows, those DuckDB could not cut and those with values that do not fit.

    `unmeant` is SQL that says which rows `where` leaves out.
    """
    found = engine.rows(
        "SELECT _part, count(*) FILTER (WHERE len(_bad) > 0), count(*) FILTER (WHERE len(_bad) = 0) "  # noqa: S608
        f"FROM {named(table)} WHERE _bad IS NOT NULL AND NOT {unmeant} GROUP BY _part"
    )
    left_out = int(engine.rows(f"SELECT count(*) FROM {named(table)} WHERE {unmeant}")[0][0])  # noqa: S608
    bad = {int(part): int(count) for part, count, _ in found}
    blank = sum(int(count) for *_, count in found)
    by_part = tuple(bad.get(i, 0) + sum(row.rows for row in one.broken) for i, one in enumerate(loaded))
    lost = sum(row.rows for one in loaded for row in one.broken)
    return Rejected(by_part, sum(one.rows for one in loaded) - blank + lost - left_out, left_out)


def find_rejects(
    engine: DuckDBEngine, table: str, parts: Sequence[Part], slots: Sequence[Slot], forms: Sequence[Form],
    loaded: Sequence[Loaded], unmeant: str = NONE, limit: int = MAX_REJECTS_WRITTEN,
) -> list[Reject]:  # fmt: skip
    """Find the first rejects, ordered by file and line, each with its reason."""
    found = engine.rows(_rejects_sql(table, slots, forms, unmeant, limit))
    by_part: dict[int, list[tuple[int, int | None, str, str, str, str]]] = defaultdict(list)
    for index, *rest in found:
        by_part[int(index)].append(tuple(rest))
    rejects: list[Reject] = []
    for index, part in enumerate(parts):
        rejects += sorted(_of_part(part, loaded[index], by_part[index]), key=lambda reject: reject.line)
    return rejects[:limit]


def _rejects_sql(table: str, slots: Sequence[Slot], forms: Sequence[Form], unmeant: str, limit: int) -> str:
    """Return the query for the values that do not fit: part, place in the table, line, column, value, reason, row."""
    each = [(1, "''", "_bad[1]")]
    for place, i in enumerate(checked(slots, forms), start=2):
        each.append((place, quoted(slots[i].header), reason_sql(f"_bad[{place}]", forms[i])))
    picks = [
        f"SELECT _part, rowid AS place, _n, {header} AS header, {f'_bad[{at}]' if at > 1 else quoted('')} AS value, "  # noqa: S608
        f"{reason} AS reason, _row, {at} AS nth FROM {named(table)} WHERE _bad[{at}] IS NOT NULL "
        f"AND NOT {unmeant}"
        for at, header, reason in each
    ]
    every = " UNION ALL ".join(picks)
    return f"SELECT * EXCLUDE (nth) FROM ({every}) AS every ORDER BY _part, place, nth LIMIT {limit}"  # noqa: S608


def _of_part(
    part: Part, loaded: Loaded, found: Sequence[tuple[int, int | None, str, str, str, str]]
) -> Iterator[Reject]:
    for row in loaded.broken:
        yield Reject(part.shown, row.line, "", "", row.reason, row.text[:MAX_VALUE])
    lines: dict[int, int] = {}
    if part.text is not None:
        ordinals = sorted({place - loaded.start for place, *_ in found})
        lines = dict(zip(ordinals, lines_of(part.text, ordinals, loaded.rows, loaded.broken), strict=True))
    for place, line, header, value, reason, row_text in found:
        at = line if line is not None else lines[place - loaded.start]
        yield Reject(part.shown, at, header, value[:MAX_VALUE], reason, row_text)


def write_rejects(path: Path, rejects: Sequence[Reject]) -> None:
    """Write the rejects file anew; without rejects there is none."""
    if not rejects:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for reject in rejects:
            texts = (reject.column, reject.value, reject.reason, reject.row)
            writer.writerow([harmless(reject.file), reject.line, *map(harmless, texts)])


def harmless(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula.

    >>> harmless("=1+1"), harmless("plain")
    ("'=1+1", 'plain')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def too_many(source: str, rejected: Rejected, limit: float, rejects: Sequence[Reject], path: str) -> TooManyRejects:
    """Make the error for more rejects than allowed, with the first reasons."""
    share = rejected.count / max(rejected.rows, 1)
    summary = (
        f"{rejected.count:,} of {rejected.rows:,} rows cannot be read ({share:.1%}, allowed are {limit:.1%}); "
        "nothing was read"
    )
    reasons = [reject.as_fault() for reject in rejects[:MAX_REASONS_SHOWN]]
    return TooManyRejects(
        [Fault(summary, path=f"sources.{source}"), *reasons],
        fix=f"All reasons are in {path}. Mend the rows, or allow more under `sources.{source}.reject_limit`.",
    )
