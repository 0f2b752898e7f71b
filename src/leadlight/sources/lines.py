"""From a row's place in the order of reading to the line of its file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.sources.part import TextFormat, named
from leadlight.sources.survey import CHUNK, open_bytes

MAX_CELL = 4_000_000
_CUT = 9_999
"""DuckDB keeps so many characters of a row it could not read."""

_REASONS = {
    "UNQUOTED VALUE": "has a quote that is not closed, or text behind a closing quote",
    "LINE SIZE OVER MAXIMUM": "is longer than 2 MB",
    "INVALID ENCODING": "has characters that are not valid UTF-8",
}


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that could not be cut into cells: `rows` is more than one when it has swallowed others."""

    line: int
    reason: str
    text: str
    rows: int = 1


def broken_rows(engine: DuckDBEngine, text: TextFormat, table: str, loaded: int) -> list[BrokenRow]:
    """Read DuckDB's table of rejects after `loaded` rows came through, one entry a row, ordered by line."""
    found = engine.rows(
        "SELECT line_byte_position, any_value(error_type ORDER BY error_type DESC), any_value(csv_line), "  # noqa: S608
        "min(TRY_CAST(regexp_extract(error_message, 'Found: (\\d+)', 1) AS INTEGER)), "
        "max(TRY_CAST(regexp_extract(error_message, 'Found: (\\d+)', 1) AS INTEGER)) "
        f"FROM {named(table)} GROUP BY line, line_byte_position ORDER BY line_byte_position"
    )
    starts = _lines_at(text, [int(position) for position, *_ in found])
    rows = [
        BrokenRow(line + _blank(line_text), _reason(str(kind), low, high, text.width), line_text.strip("\r\n"))
        for line, (_, kind, line_text, low, high) in zip(starts, found, strict=True)
    ]
    return _with_swallowed(engine, text, rows, loaded)


def _blank(line_text: str) -> int:
    """Count the blank lines that DuckDB takes for the beginning of a row."""
    lead = line_text[: len(line_text) - len(line_text.lstrip("\r\n"))]
    return max(lead.count("\n"), lead.count("\r"))


def _reason(kind: str, low: int | None, high: int | None, width: int) -> str:
    if kind in _REASONS:
        return _REASONS[kind]
    cells = low if kind == "MISSING COLUMNS" else high
    return f"has {cells} cell{'' if cells == 1 else 's'}, the header has {width}"


def _lines_at(text: TextFormat, positions: Sequence[int]) -> list[int]:
    """Find the lines, from 1, of byte positions (from 1, rising) by counting line ends up to them."""
    lines: list[int] = []
    if not positions:
        return lines
    end = b"\r" if text.survey.newline == "\r" else b"\n"
    seen, offset = 0, 0
    wanted = iter(positions)
    target = next(wanted)
    with open_bytes(text.survey.path, text.survey.compression) as file:
        while chunk := file.read(CHUNK):
            at = 0
            while target is not None and target - 1 <= offset + len(chunk):
                seen, at = seen + chunk.count(end, at, target - 1 - offset), target - 1 - offset
                lines.append(seen + 1)
                target = next(wanted, None)  # type: ignore[assignment]
            if target is None:
                return lines
            seen, offset = seen + chunk.count(end, at), offset + len(chunk)
    return lines


def _with_swallowed(engine: DuckDBEngine, text: TextFormat, rows: list[BrokenRow], loaded: int) -> list[BrokenRow]:
    """Count what a quote that never closes has taken with it, as the lines that nothing else accounts for."""
    at = next((i for i, row in enumerate(rows) if row.reason == _REASONS["UNQUOTED VALUE"] and "\n" in row.text), None)
    if at is None:
        return rows
    cells = " + ".join(f"coalesce(len(c{i}) - len(replace(c{i}, chr(10), '')), 0)" for i in range(text.width))
    inside = int(engine.rows(f"SELECT coalesce(sum({cells}), 0) FROM {text.sql(None)}")[0][0])  # noqa: S608
    lost = text.survey.lines - (text.first_line - 1) - loaded - inside - (len(rows) - 1)
    row = rows[at]
    shown = BrokenRow(row.line, f"{row.reason}: {max(lost, 1):,} lines are lost", row.text, max(lost, 1))
    return [*rows[:at], shown, *rows[at + 1 :]]


def lines_of(text: TextFormat, ordinals: Sequence[int], loaded: int, broken: Sequence[BrokenRow]) -> list[int]:
    """Find the lines of rows, given by their (rising) place from 0 among the `loaded` rows that came through.

    Where every row took one line that is arithmetic; else the file is walked through up to the last row asked for.
    """
    if not ordinals:
        return []
    if text.survey.lines - (text.first_line - 1) == loaded + len(broken):
        return _counted(text.first_line, ordinals, [row.line for row in broken])
    found = []
    wanted = iter(ordinals)
    target = next(wanted)
    for ordinal, line in enumerate(_walk(text, {row.line for row in broken})):
        if ordinal == target:
            found.append(line)
            target = next(wanted, -1)
            if target < 0:
                break
    return found + [text.first_line + ordinal for ordinal in ordinals[len(found) :]]


def _counted(first: int, ordinals: Sequence[int], broken: Sequence[int]) -> list[int]:
    found, passed = [], 0
    for ordinal in ordinals:
        while passed < len(broken) and broken[passed] <= first + ordinal + passed:
            passed += 1
        found.append(first + ordinal + passed)
    return found


def _walk(text: TextFormat, broken: set[int]) -> Iterator[int]:
    """Yield the line at which each readable row begins."""
    before = csv.field_size_limit(MAX_CELL)
    try:
        yield from _walk_rows(text, broken)
    finally:
        csv.field_size_limit(before)


def _walk_rows(text: TextFormat, broken: set[int]) -> Iterator[int]:
    if not text.quote:
        begin = text.first_line
        yield from (line for line in range(begin, text.survey.lines + 1) if line not in broken)
        return
    doubled = text.escape == '"'
    with open_bytes(text.survey.path, text.survey.compression) as raw:
        stream = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="")
        for _ in range(text.first_line - 1):
            stream.readline()
        reader = csv.reader(
            stream, delimiter=text.delimiter, doublequote=doubled, escapechar=None if doubled else text.escape
        )
        start = text.first_line
        for row in reader:
            if start not in broken and (row or text.width == 1):
                yield start
            start = text.first_line + reader.line_num
