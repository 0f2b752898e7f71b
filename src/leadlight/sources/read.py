"""Read one source into a typed temporary table, or only look at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.spec.models import SourceSpec


@dataclass(frozen=True, slots=True)
class ProgressUpdate:
    """How far the reading of a source has come; `total` bytes is 0 where it is not known (SQL)."""

    source: str
    path: str
    rows: int
    """Rows read so far, all files together."""
    done: int
    """Bytes of files read so far, all files together."""
    total: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Column:
    """A column as we call it, as the file calls it, and what it holds."""

    name: str
    header: str
    type: Type


@dataclass(frozen=True, slots=True)
class FileRead:
    """One file (or table): `path` is relative to the root; `skipped` when its content has been read before."""

    path: str
    fingerprint: str
    rows: int
    rejected: int
    skipped: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a source gave: rows in the temporary view `table`, and what became of each file.

    Give it back with `release(engine, reading)`. The view has `_id, _lead, _account, _created_at, _known_at, _at, _type, _message_id, _outcome, _value` (those the
    source has), then `columns` by our names, then `_file` and `_line` (both of the row in its file, line from 1).
    """

    source: str
    table: str
    columns: tuple[Column, ...]
    roles: Mapping[str, Column]
    files: tuple[FileRead, ...]
    rows: int
    rejected: int
    rejects_file: Path | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Described:
    """What a look at headers and the first rows tells."""

    columns: tuple[Column, ...]
    roles: Mapping[str, Column] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def describe(name: str, spec: SourceSpec, root: Path) -> Described:
    """Look at the headers and first rows of a source.

    Raises DataError with all faults: files or columns that are not there, ambiguous dates.
    """
    raise NotImplementedError


def read(
    engine: DuckDBEngine,
    name: str,
    spec: SourceSpec,
    root: Path,
    *,
    rejects_dir: Path,
    known: Mapping[str, str] | None = None,
    types: Mapping[str, Type] | None = None,
    progress: Callable[[ProgressUpdate], None] | None = None,
) -> Reading:
    """Read a source into a new temporary view of the engine (the caller gives it back with `release`).

    `known` maps paths to fingerprints of files that were read before: unchanged ones are skipped. `types` are those the
    store has for our names: values must fit them or are rejected.
    Raises DataError with all faults, TooManyRejects when more than `reject_limit` of the rows cannot be read.
    """
    raise NotImplementedError


def release(engine: DuckDBEngine, reading: Reading) -> None:
    """Drop what `read` has put into the engine."""
    raise NotImplementedError
