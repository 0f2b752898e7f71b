"""Excel and OpenDocument workbooks, read with calamine: typed cells, formulas as their last computed values."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence

from python_calamine import CalamineError, CalamineWorkbook

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import MAX_CHOICES_SHOWN, DataError, Fault, did_you_mean, shorten
from leadlight.sources.batches import Value, load_rows
from leadlight.sources.csv import MAX_PREAMBLE, MAX_ROWS_SEEN, distinct_headers, first_header, header_notes
from leadlight.sources.layout import ROLES, find
from leadlight.sources.locate import Located
from leadlight.sources.opened import Opened
from leadlight.sources.part import Part, named
from leadlight.spec.models import SourceSpec

MOST_BYTES = 1 << 30
"""Of all parts of a workbook, unpacked."""


def open_excel(engine: DuckDBEngine, located: Located, spec: SourceSpec, opened: Opened, table: str) -> Part:
    """Open a sheet of a workbook: the one told, or the first; its rows go into a temporary table.

    Raises DataError when it is no workbook, has no such sheet, or the sheet is empty.
    """
    rows, sheet, others = opened.once(spec, ("sheet", located.path, spec.sheet), lambda: _sheet(located, spec))
    header_at = _header_row(rows, spec)
    if header_at is None:
        raise DataError([Fault(f"sheet {sheet!r} is empty", file=located.shown)])
    texts = [_header(cell) for cell in rows[header_at]]
    header, unnamed = distinct_headers(texts)
    body = rows[header_at + 1 :]
    loaded = load_rows(engine, table, len(header), _padded(body, len(header)), first_line=header_at + 2)
    columns = {name: loaded.cell(index) for index, name in enumerate(header)}
    notes = tuple(header_notes(located.shown, texts, header))
    if header_at:
        notes += (f"{located.shown}: header found in row {header_at + 1}",)
    if others and spec.sheet is None:
        known = ", ".join(map(shorten, others[:MAX_CHOICES_SHOWN]))
        notes += (f"{located.shown}: the first sheet, {shorten(sheet)}, is read, and none of {known}",)
    size = located.path.stat().st_size
    return Part(located.shown, size, columns, named(table), "_line", notes=notes, unnamed=unnamed)


def _sheet(located: Located, spec: SourceSpec) -> tuple[list[list[Value]], str, list[str]]:
    """Return the rows of a sheet, its name and those of the others."""
    try:
        _need_room(located)
        book = CalamineWorkbook.from_path(str(located.path))
        names = book.sheet_names
        if spec.sheet is not None and spec.sheet not in names:
            message = f"has no sheet {spec.sheet!r}; {did_you_mean(spec.sheet, names)}"
            raise DataError([Fault(message, file=located.shown)])
        name = spec.sheet or names[0]
        rows: list[list[Value]] = [list(row) for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)]
        return rows, name, [one for one in names if one != name]
    except OSError as error:
        raise DataError([Fault(f"cannot be opened: {error.strerror or error}", file=located.shown)]) from None
    except (CalamineError, zipfile.BadZipFile, IndexError) as error:
        why = f"is no Excel or OpenDocument workbook, or is damaged ({str(error) or 'it has no sheets'})"
        raise DataError([Fault(why, file=located.shown)]) from None


def _need_room(located: Located) -> None:
    """Refuse a workbook that would fill the memory: it is read as a whole, and a small file can hold a lot.

    Raises DataError.
    """
    if not zipfile.is_zipfile(located.path):
        return  # the older formats are not packed
    with zipfile.ZipFile(located.path) as packed:
        size = sum(one.file_size for one in packed.infolist())
    if size > MOST_BYTES:
        why = f"unpacks to {size / 1e9:.1f} GB, more than a workbook may: export its sheet as CSV"
        raise DataError([Fault(why, file=located.shown)])


def _header_row(rows: Sequence[Sequence[Value]], spec: SourceSpec) -> int | None:
    """Find the header: the first row with the columns that the spec names, else the first that is not empty."""
    told = [value for role in ROLES if (value := getattr(spec, role)) is not None]
    texts = [[_header(cell) for cell in row] for row in rows[:MAX_PREAMBLE]]
    for at, row in enumerate(texts if told else []):
        if all(find(distinct_headers(row)[0], value) for value in told):
            return at
    return first_header([[_header(cell) for cell in row] for row in rows[:MAX_ROWS_SEEN]], told)


def _header(cell: Value) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _padded(rows: Sequence[Sequence[Value]], width: int) -> Iterator[Sequence[Value]]:
    for row in rows:
        yield [*row, *[None] * (width - len(row))][:width]
