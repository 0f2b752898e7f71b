"""CSV: the delimiter, the header row and the way quotes are escaped, found out from the first rows."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from leadlight.errors import DataError, Fault, shorten
from leadlight.sources.layout import ROLES, find
from leadlight.sources.locate import Located
from leadlight.sources.names import snake_case
from leadlight.sources.opened import Opened
from leadlight.sources.part import Cell, Kind, Part, TextFormat
from leadlight.sources.survey import Survey
from leadlight.spec.models import SourceSpec

DELIMITERS = (",", ";", "\t", "|")
MAX_ROWS_SEEN = 200
MAX_HEAD = 131_000
"""So many characters are looked at; Python's csv takes no longer cell."""
MAX_PREAMBLE = 30
"""In so many rows the header is looked for, where the first is not it."""

_VALUE = re.compile(r"[-+]?\d+([.,:/-]\d+)*([T ]\d\d:\d\d\S*)?|[^@\s]+@[^@\s]+\.[^@\s]+")
"""A number, a date or an address."""
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def open_csv(located: Located, spec: SourceSpec, opened: Opened, limit: int | None = None) -> Part:
    """Open a CSV file: survey its bytes and find out how it is cut into rows and cells.

    Raises DataError when it is no CSV file, or has no header.
    """
    seen = opened.survey(located, spec, limit)
    told = _told_delimiter(seen, spec)
    delimiter = told or _delimiter(seen.head)
    escape = _escape(seen.head, delimiter)
    rows, lines = _parse(seen.head, delimiter, escape)
    at = _header_row(rows, spec)
    if at is None:
        raise DataError([Fault("has no header: the file is blank", file=located.shown)])
    text = TextFormat(seen, delimiter, len(rows[at]), at + 1, lines[at] + 1, escape=escape)
    return _part(located, seen, text, rows[at])


def _part(located: Located, seen: Survey, text: TextFormat, header: list[str]) -> Part:
    headers, unnamed = distinct_headers(header)
    notes = (*seen.notes, *header_notes(located.shown, header, headers))
    if text.delimiter != ",":
        notes += (f"{located.shown}: delimiter {_NAMES.get(text.delimiter, text.delimiter)}",)
    if text.skip > 1:
        notes += (f"{located.shown}: header found in line {text.first_line - 1}",)
    cells = {name: Cell(Kind.ANY, f"c{index}") for index, name in enumerate(headers)}
    size = located.path.stat().st_size
    return Part(located.shown, size, cells, text=text, notes=notes, unnamed=unnamed)


def distinct_headers(header: list[str]) -> tuple[list[str], frozenset[str]]:
    """Tell repeated headers apart and make up some where there are none; also return those made up.

    >>> distinct_headers(["a", "a", " "])
    (['a', 'a (2)', 'column 3'], frozenset({'column 3'}))
    """
    names: list[str] = []
    unnamed = set()
    for number, raw in enumerate(header, start=1):
        base = " ".join(raw.split()) or f"column {number}"
        name = base if base not in names else f"{base} ({_alike(base, names) + 1})"
        while name in names:
            name += "'"
        names.append(name)
        if not raw.strip():
            unnamed.add(name)
    return names, frozenset(unnamed)


def header_notes(shown: str, header: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Say which columns have one name, and that names look like values: then the header is missing, and a row lost.

    >>> list(header_notes("a.csv", ["Source", "Source"], ["Source", "Source (2)"]))
    ["a.csv: 2 columns are called 'Source': the others are taken as 'Source (2)'"]
    >>> names = ["L1", "2026-01-02", "40"]
    >>> list(header_notes("a.csv", names, names))[0][7:]
    "2 of 3 names look like values ('2026-01-02', '40'): if the first line is a record, put names above it"
    """
    bases = [" ".join(raw.split()) for raw in header]
    for base, count in Counter(base for base in bases if base).items():
        if count > 1:
            others = [name for name, of in zip(names, bases, strict=True) if of == base and name != base]
            yield f"{shown}: {count} columns are called {shorten(base)}: the others are taken as {_listed(others)}"
    values = [base for base in bases if _VALUE.fullmatch(base)]
    if len(values) > 1 and 4 * len(values) >= len(bases):
        few = _listed(values)
        yield (f"{shown}: {len(values)} of {len(bases)} names look like values ({few}): if the first line is a record, "
               "put names above it")  # fmt: skip


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(shorten, names[:3]))
    return shown + (", …" if len(names) > 3 else "")


def _alike(base: str, names: list[str]) -> int:
    return sum(_stem(name) == _stem(base) for name in names)


def _stem(name: str) -> str:
    """Return what names that differ in case, punctuation and number only have in common."""
    return snake_case(name.rsplit(" (", 1)[0])


def _told_delimiter(seen: Survey, spec: SourceSpec) -> str | None:
    """Return the delimiter the user, or Excel's `sep=;` line, has told."""
    if spec.delimiter is not None:
        return {"tab": "\t", "\\t": "\t"}.get(spec.delimiter, spec.delimiter)
    first = seen.head.split("\n", 1)[0].strip()
    return first[4] if first.lower().startswith("sep=") and len(first) == len("sep=;") else None


def _delimiter(head: str) -> str:
    """Choose the delimiter by which most rows have the same number of cells, at least two."""

    def rank(delimiter: str) -> tuple[float, int]:
        widths = Counter(len(row) for row in _parse(head, delimiter, '"')[0] if row)
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        return (count / widths.total(), width) if width > 1 else (0.0, 0)

    best = max(DELIMITERS, key=rank)
    return best if rank(best)[0] > 0 else ","


def _escape(head: str, delimiter: str) -> str:
    r"""Tell whether quotes in cells are doubled (the rule) or come behind a backslash."""
    if '\\"' not in head:
        return '"'

    def even(escape: str) -> int:
        widths = Counter(len(row) for row in _parse(head, delimiter, escape)[0] if row)
        return max(widths.values(), default=0)

    return "\\" if even("\\") > even('"') else '"'


def _parse(head: str, delimiter: str, escape: str) -> tuple[list[list[str]], list[int]]:
    """Return the first rows and the line each ends in; the last one may be cut off and is left out."""
    quoting = {"doublequote": True} if escape == '"' else {"doublequote": False, "escapechar": escape}
    reader = csv.reader(io.StringIO(head[:MAX_HEAD], newline=""), delimiter=delimiter, **quoting)
    rows: list[list[str]] = []
    lines: list[int] = []
    for row in reader:
        rows.append(row)
        lines.append(reader.line_num)
        if len(rows) >= MAX_ROWS_SEEN:
            break
    return (rows[:-1], lines[:-1]) if len(rows) > 1 and len(head) >= MAX_HEAD else (rows, lines)


def _header_row(rows: list[list[str]], spec: SourceSpec) -> int | None:
    """Find the header: the first row with the columns that the spec names, else the first that is not blank."""
    named = [told for role in ROLES if (told := getattr(spec, role)) is not None]
    for at, row in enumerate(rows[:MAX_PREAMBLE] if named else []):
        headers = distinct_headers(row)[0]
        if all(find(headers, spec.header(told)) for told in named):
            return at
    return first_header([[] if _is_sep(row) else row for row in rows], named)


def first_header(rows: Sequence[Sequence[str]], named: Sequence[str]) -> int | None:
    """Find the header where it is not known by its names: the first row that is not blank.

    Where no name is told at all, titles above it are passed over: rows with less than half of the cells that most have.

    >>> first_header([["Leads of 2026"], [], ["id", "name", "stage"], ["1", "Ann", "won"], ["2", "Bo", "lost"]], [])
    2
    """
    counts = [sum(1 for cell in row if cell.strip()) for row in rows]
    filled = [at for at, count in enumerate(counts) if count]
    if named or not filled:
        return filled[0] if filled else None
    usual = Counter(counts[at] for at in filled).most_common(1)[0][0]
    return next((at for at in filled[:MAX_PREAMBLE] if counts[at] > usual / 2), filled[0])


def _is_sep(row: list[str]) -> bool:
    return bool(row) and row[0].lower().startswith("sep=")
