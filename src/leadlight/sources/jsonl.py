"""JSON lines: one object a line; objects inside objects are flattened, lists are kept as JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import DataError, Fault
from leadlight.sources.locate import Located
from leadlight.sources.opened import Opened
from leadlight.sources.part import Cell, Kind, Part, TextFormat, quoted
from leadlight.spec.models import SourceSpec

MAX_KEYS = 2_000
"""More different keys than this are data in the place of names."""
NO_OBJECT = "has no line that is a JSON object: write one object a line, without a list around them"
LOOK_LINES = 20_000

_KINDS = {"BOOLEAN": Kind.BOOL, "VARCHAR": Kind.STRING}
"""Numbers count as ANY text, so that integers longer than a float keeps are found to be identifiers."""


def open_jsonl(engine: DuckDBEngine, located: Located, spec: SourceSpec, opened: Opened, limit: int | None) -> Part:
    """Open a file of JSON lines: find all keys that occur in it.

    Raises DataError when no line is a JSON object, or the keys are too many.
    """
    seen = opened.survey(located, spec, limit)
    # one column, cut by a character that JSON allows in no string: every line comes whole, a blank one as null
    text = TextFormat(seen, "\x1f", 1, quote="", escape="")
    few = f"LIMIT {LOOK_LINES}" if limit else ""
    relation = f"(SELECT c0 FROM {text.sql(None)} WHERE {_is_object('c0')} {few})"  # noqa: S608
    structure = engine.rows(f"SELECT json_group_structure(CAST(c0 AS JSON)) FROM {relation}")[0][0]  # noqa: S608
    paths = dict(_paths(json.loads(structure), (), ())) if structure else {}
    if not paths:
        raise DataError([Fault(NO_OBJECT, file=located.shown)])
    if len(paths) > MAX_KEYS:
        message = f"has {len(paths):,} different keys: at most {MAX_KEYS:,} are read"
        raise DataError([Fault(message, file=located.shown)])
    columns = {header: _cell(pointer, kind) for header, (pointer, kind) in paths.items()}
    valid = f"(c0 IS NULL OR {_is_object('c0')})"
    size = located.path.stat().st_size
    return Part(located.shown, size, columns, text=text, valid=valid, notes=seen.notes)


def _is_object(line: str) -> str:
    return f"(CASE WHEN json_valid({line}) THEN json_type({line}) = 'OBJECT' ELSE false END)"


def _paths(
    structure: Mapping[str, object], above: tuple[str, ...], pointer: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, Kind]]]:
    """Walk the structure: header, and where it lies as a JSON pointer with what it holds."""
    for key, what in structure.items():
        here = (*pointer, key.replace("~", "~0").replace("/", "~1"))
        if isinstance(what, dict) and what:
            yield from _paths(what, (*above, key), here)
        else:
            kind = Kind.FIXED if isinstance(what, list) else _KINDS.get(str(what), Kind.ANY)
            yield ".".join((*above, key)), ("/" + "/".join(here), kind)


def _cell(pointer: str, kind: Kind) -> Cell:
    value = f"CASE WHEN {_is_object('c0')} THEN json_extract_string(c0, {quoted(pointer)}) END"
    return Cell(kind, f"TRY_CAST({value} AS BOOLEAN)" if kind is Kind.BOOL else value)
