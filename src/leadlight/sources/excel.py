"""Excel and OpenDocument workbooks, read with calamine: typed cells, formulas as their last computed values."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence

from python_calamine import CalamineError, CalamineWorkbook

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import DataError, Fault, did_you_mean
from leadlight.sources.batches import Value, load_rows
from leadlight.sources.csv import MAX_PREAMBLE, distinct_headers
from leadlight.sources.layout import ROLES, find
from leadlight.sources.locate import Located
from leadlight.sources.opened import Opened
from leadlight.sources.part import Part, named
from leadlight.spec.models import SourceSpec


def open_excel(engine: DuckDBEngine, located: Located, spec: SourceSpec, opened: Opened, table: str) -> Part:
    """Open a sheet of a workbook: the one told, or the first; its rows go into a temporary table.

    Raises DataError when it is no workbook, has no such sheet, or the sheet is empty.
    """
    rows, sheet = opened.once(spec, ("sheet", located.path, spec.sheet), lambda: _sheet(located, spec))
    header_at = _header_row(rows, spec)
    if header_at is None:
        raise DataError([Fault(f"sheet {sheet!r} is empty", file=located.shown)])
    header, unnamed = distinct_headers([_header(cell) for cell in rows[header_at]])
    body = rows[header_at + 1 :]
    loaded = load_rows(engine, table, len(header), _padded(body, len(header)), first_line=header_at + 2)
    columns = {name: loaded.cell(index) for index, name in enumerate(header)}
    notes = () if header_at == 0 else (f"{located.shown}: header found in row {header_at + 1}",)
    size = located.path.stat().st_size
    return Part(located.shown, size, columns, named(table), "_line", notes=notes, unnamed=unnamed)


def _sheet(located: Located, spec: SourceSpec) -> tuple[list[list[Value]], str]:
    try:
        book = CalamineWorkbook.from_path(str(located.path))
        names = book.sheet_names
        if spec.sheet is not None and spec.sheet not in names:
            message = f"has no sheet {spec.sheet!r}; {did_you_mean(spec.sheet, names)}"
            raise DataError([Fault(message, file=located.shown)])
        name = spec.sheet or names[0]
        return [list(row) for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)], name
    except (CalamineError, OSError, zipfile.BadZipFile, IndexError) as error:
        why = f"cannot be read as a workbook: {str(error) or 'it has no sheets'}"
        raise DataError([Fault(why, file=located.shown)]) from None


def _header_row(rows: Sequence[Sequence[Value]], spec: SourceSpec) -> int | None:
    """Find the header: the first row with the columns that the spec names, else the first that is not empty."""
    told = [value for role in ROLES if (value := getattr(spec, role)) is not None]
    texts = [[_header(cell) for cell in row] for row in rows[:MAX_PREAMBLE]]
    for at, row in enumerate(texts):
        if all(find(distinct_headers(row)[0], value) for value in told):
            return at
    return next((at for at, row in enumerate(rows) if any(_header(cell) for cell in row)), None)


def _header(cell: Value) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _padded(rows: Sequence[Sequence[Value]], width: int) -> Iterator[Sequence[Value]]:
    for row in rows:
        yield [*row, *[None] * (width - len(row))][:width]
