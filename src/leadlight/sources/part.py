"""One file or table of a source, whatever its format: its columns, and the SQL that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from leadlight.sources.survey import Survey


class Kind(StrEnum):
    """What a format itself says about a column's values."""

    ANY = "any"
    """Text that may mean anything (CSV)."""
    STRING = "string"
    """Text on purpose; only times may hide in it, for want of a type of their own."""
    FIXED = "fixed"
    """Text that is nothing else (lists as JSON, UUIDs)."""
    INTEGER = "integer"
    NUMBER = "number"
    BOOL = "bool"
    TIME = "time"
    """A time without a zone."""
    ZONED = "zoned"
    """A time with one."""


TEXTS = frozenset({Kind.ANY, Kind.STRING, Kind.FIXED})


@dataclass(frozen=True, slots=True)
class Cell:
    """A column of a part: what kind of values, and the SQL expression that gives them within its relation."""

    kind: Kind
    sql: str


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How a text file is cut into rows: what DuckDB's reader is told, and what is needed to find a line again."""

    survey: Survey
    delimiter: str
    width: int
    skip: int = 0
    """Rows (and blank lines) before the first row of data."""
    first_line: int = 1
    """The line, from 1, at which the data begin."""
    quote: str = '"'
    escape: str = '"'

    def sql(self, rejects: str | None) -> str:
        """Return the FROM item; unreadable rows go to the tables `rejects` and `rejects`_scans, or nowhere."""
        into = (
            f"store_rejects = true, rejects_limit = 0, rejects_table = {quoted(rejects)}, "
            f"rejects_scan = {quoted(rejects + '_scans')}"
            if rejects
            else "ignore_errors = true"
        )
        columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(self.width))
        return (
            f"read_csv([{quoted(str(self.survey.path))}], auto_detect = false, header = false, skip = {self.skip}, "
            f"delim = {quoted(self.delimiter)}, quote = {quoted(self.quote)}, escape = {quoted(self.escape)}, "
            f"new_line = {_NEWLINES[self.survey.newline]}, compression = {quoted(self.survey.compression)}, "
            f"encoding = 'utf-8', comment = '', nullstr = '', columns = {{{columns}}}, {into})"
        )


_NEWLINES = {"\n": r"'\n'", "\r\n": r"'\r\n'", "\r": r"'\r'"}


@dataclass(frozen=True, slots=True)
class Part:
    """One file or table: `columns` by header (repeated headers are told apart by then), and where rows come from."""

    shown: str
    size: int
    columns: Mapping[str, Cell]
    relation: str = ""
    """The FROM item, for all but text files."""
    line: str | None = None
    """The SQL of the row's number in the part; without one, it follows from the order of reading."""
    text: TextFormat | None = None
    valid: str | None = None
    """A condition that a row must satisfy to be one (JSON lines)."""
    notes: tuple[str, ...] = ()
    unnamed: frozenset[str] = frozenset()
    """Headers made up for columns that have none."""
    more: tuple[str, ...] = ()
    """Names of columns that could be had too, if they were asked for."""

    def source(self, rejects: str | None = None) -> str:
        """Return the FROM item; see TextFormat.sql for `rejects`."""
        return self.text.sql(rejects) if self.text else self.relation


def quoted(text: str) -> str:
    """Write an SQL string.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def named(name: str) -> str:
    """Write an SQL identifier.

    >>> named('at')
    '"at"'
    """
    return '"' + name.replace('"', '""') + '"'
