"""The lake: what `sync` has read of connections, in the workspace, as Parquet files with one row a version of a record.

    .leadlight/sync/CONNECTION/raw/OBJECT/00000007-3f9c2a.parquet

Files are numbered as they came and never change, but for erased people; many small ones become one under the name
`00000000-00000041-3f9c2a.parquet`, which stands for all the numbers it holds (the last part is made with the folder, so
that a lake that was deleted and read anew has other names). Beside the system's fields each row has the columns of
`OURS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import DataError, Fault
from leadlight.expr.types import Type
from leadlight.sources.layout import DELETED, ROLES, find
from leadlight.sources.locate import Located
from leadlight.sources.names import unique_names
from leadlight.sources.part import Cell, Kind, Part, named, quoted
from leadlight.spec.findings import names_in
from leadlight.spec.models import SourceKind, SourceSpec

SYNC = Path(".leadlight") / "sync"
"""Where, in the workspace, all that was read of connections is kept."""
RAW = "raw"
DESCRIPTION = "described.json"
FRESH = ".new"
"""The ending of a file that is being written."""
ID, KNOWN_AT, GONE, INTO, HASH = "_id", "_known_at", "_gone", "_into", "_hash"
OURS: Mapping[str, str] = {ID: "VARCHAR", KNOWN_AT: "TIMESTAMP", GONE: "BOOLEAN", INTO: "VARCHAR", HASH: "UBIGINT"}
"""Columns that each row has besides the system's fields."""
TYPES: Mapping[Type, str] = {
    Type.TEXT: "VARCHAR", Type.NUMBER: "DOUBLE", Type.BOOL: "BOOLEAN", Type.TIME: "TIMESTAMP",
}  # fmt: skip
_KINDS = {"VARCHAR": Kind.FIXED, "DOUBLE": Kind.NUMBER, "BOOLEAN": Kind.BOOL, "TIMESTAMP": Kind.TIME}
_FILE = re.compile(r"(?P<first>\d{8})(?:-(?P<last>\d{8}))?-(?P<token>[0-9a-f]+)\.parquet")
_PLAIN = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class LakeFile:
    """A file of the lake and the numbers it stands for."""

    path: Path
    first: int
    last: int
    token: str


def escaped(name: str) -> str:
    """Write an object's name so that it may be a file's and a table's; no two names become the same.

    >>> escaped("crm.lead"), escaped("Lead"), escaped("a=b")
    ('crm=2elead', 'Lead', 'a=3db')
    """
    return _PLAIN.sub(lambda match: "".join(f"={byte:02x}" for byte in match[0].encode()), name)


def connection_folder(root: Path, connection: str) -> Path:
    """Return where all that belongs to a connection is kept."""
    return root / SYNC / connection


def object_folder(root: Path, connection: str, name: str) -> Path:
    """Return where the files of an object are."""
    return connection_folder(root, connection) / RAW / escaped(name)


def lake_file(path: Path) -> LakeFile | None:
    """Read the numbers of a file's name; None for another file.

    >>> lake_file(Path("00000000-00000041-3f9c2a.parquet")).last
    41
    """
    match = _FILE.fullmatch(path.name)
    if match is None:
        return None
    first = int(match["first"])
    return LakeFile(path, first, int(match["last"] or first), match["token"])


def lake_files(folder: Path) -> list[LakeFile]:
    """Return the files of an object in their order, without those whose rows another one holds too.

    Of two that stand for the same numbers, the newer one was made of the other.
    """
    found = [one for path in folder.glob("*.parquet") if (one := lake_file(path)) is not None]
    found.sort(key=lambda one: (one.first, -one.last, -_changed(one.path)))
    kept: list[LakeFile] = []
    for one in found:
        if not kept or one.last > kept[-1].last:
            kept.append(one)
    return kept


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:  # made one with others meanwhile
        return 0


def locate_lake(spec: SourceSpec, root: Path) -> list[Located]:
    """Return the files of a source's object; none where nothing was synced yet."""
    found = lake_files(object_folder(root, spec.connection or "", spec.object or ""))
    return [Located(one.path, one.path.relative_to(root).as_posix()) for one in found]


def is_covered(path: str, known: Iterable[str]) -> bool:
    """Say whether the numbers that a file stands for were all read, under whatever names.

    >>> is_covered("x/00000000-00000001-ab.parquet", ["x/00000000-ab.parquet", "x/00000001-ab.parquet"])
    True
    """
    wanted = lake_file(Path(path))
    if wanted is None:
        return False
    have = [one for text in known if (one := lake_file(Path(text))) is not None and one.token == wanted.token]
    reached = wanted.first
    for one in sorted(have, key=lambda one: one.first):
        if one.first <= reached <= one.last:
            reached = one.last + 1
    return reached > wanted.last


class NotSynced(DataError):
    """Nothing was read of a connection's object yet."""

    def __init__(self, source: str, spec: SourceSpec) -> None:
        super().__init__([Fault(not_synced(spec), path=f"sources.{source}.connection")])


def not_synced(spec: SourceSpec) -> str:
    """Say that nothing was read of a connection yet, and what to do."""
    return f"nothing was read of {spec.object} yet: run `leadlight sync {spec.connection}`"


def wanted_fields(spec: SourceSpec, names: Sequence[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return which of an object's fields a source uses, and the names in it that are no field's.

    Those are what its roles and columns name and its `where` uses; all, where it names no columns.

    >>> deals = SourceSpec.model_validate({"connection": "crm", "object": "deals", "lead": "contact",
    ...                                    "outcome": "stage", "columns": {"kind": "dealtype"}, "where": "amount > 0"})
    >>> found, missing = wanted_fields(deals, ["amount", "contact", "dealstage", "owner", "stage"])
    >>> sorted(found), missing
    (['amount', 'contact', 'stage'], ('dealtype',))
    """
    told = [spec.header(told) for role in ROLES if (told := getattr(spec, role)) is not None]
    columns = spec.columns.values() if isinstance(spec.columns, dict) else spec.columns or ()
    told = [name for name in (*told, *columns, *spec.rename.values()) if name not in (*OURS, DELETED)]
    headers = {name: find(list(names), name) for name in told}
    found = {header for header in headers.values() if header is not None}
    if spec.columns is None:
        dropped = {find(list(names), name) for name in spec.drop}
        found |= {name for name in names if name not in dropped}
    if spec.where is not None:
        used = names_in(spec.where)
        found |= {header for name, header in zip(unique_names(names, ()), names, strict=True) if name in used}
    return frozenset(found), tuple(dict.fromkeys(name for name, header in headers.items() if header is None))


def open_lake(
    engine: DuckDBEngine, spec: SourceSpec, files: Sequence[Located], root: Path, within: str = "true"
) -> Part:
    """Open files of an object as one part, with the columns that a source of its kind uses; of rows `within` only.

    Whoever is deleted keeps its last values: of leads it is told in `deleted`, of outcomes nothing is left but the id,
    so that what was said of them is taken back; events that were deleted before they were read are left out. Fields
    that a source names and the system has, but that no sync has read yet, are there without values.
    """
    paths = ", ".join(quoted(str(file.path)) for file in files)
    table = f"read_parquet([{paths}], union_by_name = true)"
    found = {str(name): str(kind) for name, kind, *_ in engine.rows(f"DESCRIBE SELECT * FROM {table}")}  # noqa: S608
    if within != "true":
        table = f"(SELECT * FROM {table} WHERE {within})"  # noqa: S608
    gone = f"(coalesce({named(GONE)}, false) AND {named(INTO)} IS NULL)"
    away = f"(coalesce({named(GONE)}, false) OR {named(INTO)} IS NOT NULL)"
    cells = {name: Cell(_KINDS[kind], named(name)) for name, kind in found.items() if name not in OURS}
    cells = {name: cell for name, cell in cells.items() if name != DELETED or spec.role is not SourceKind.LEADS}
    if spec.role is SourceKind.OUTCOMES:
        cells = {name: Cell(cell.kind, f"CASE WHEN NOT {away} THEN {cell.sql} END") for name, cell in cells.items()}
        order = f"{named(KNOWN_AT)} DESC NULLS LAST"
        newest = f"QUALIFY row_number() OVER (PARTITION BY {named(ID)} ORDER BY {order}) = 1"
        table = f"(SELECT * FROM {table} {newest})"  # noqa: S608
    elif spec.role is SourceKind.EVENTS:
        table = f"(SELECT * FROM {table} WHERE NOT {away})"  # noqa: S608
    fields = description(root, spec.connection or "")["objects"].get(spec.object, {}).get("fields", {})
    cells |= {name: cell for name, cell in _to_come(spec, fields).items() if name not in found}
    cells |= {name: Cell(kind, named(name)) for name, kind in _used(spec)}
    if spec.role is SourceKind.LEADS:
        cells[DELETED] = Cell(Kind.BOOL, gone)
    size = sum(file.path.stat().st_size for file in files)
    more = tuple(name for name in fields if name not in cells)
    line = "CAST(row_number() OVER () AS BIGINT)"
    return Part(f"{spec.connection}: {spec.object}", size, cells, table, line, more=more)


def _to_come(spec: SourceSpec, fields: Mapping[str, Any]) -> dict[str, Cell]:
    """Return the fields that a source names and the system has, as the last sync saw it."""
    known = {name: TYPES[Type(field["type"])] for name, field in fields.items()}
    named_ones = wanted_fields(spec.model_copy(update={"columns": spec.columns or []}), list(known))[0]
    return {name: Cell(_KINDS[known[name]], f"CAST(NULL AS {known[name]})") for name in sorted(named_ones)}


def _used(spec: SourceSpec) -> list[tuple[str, Kind]]:
    """Return which of our own columns the source's roles name."""
    told = {spec.id, spec.account, spec.known_at, spec.message_id, spec.lead, spec.at}
    return [(name, kind) for name, kind in ((ID, Kind.FIXED), (KNOWN_AT, Kind.TIME)) if name in told]


def rewrite(query: str, target: Path, *, ending: str = FRESH) -> None:
    """Write what a query gives to a file, all of it or nothing; until then it has another ending."""
    fresh = target.with_suffix(ending)
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"COPY ({query}) TO {quoted(str(fresh))} (FORMAT parquet, COMPRESSION zstd)")
    fresh.replace(target)


def record_id(id: str, spec: SourceSpec) -> str | None:  # noqa: A002 - the user's word
    """Return the id that the system itself gives to a lead of a source; None where it is none of the source's.

    >>> contacts = SourceSpec.model_validate({"connection": "crm", "object": "contacts", "kind": "leads"})
    >>> record_id("crm:151", contacts), record_id("151", contacts)
    ('151', None)
    """
    prefix = spec.prefix or ""
    return id.removeprefix(prefix) if id.startswith(prefix) else None


# ------------------------------------------------------------------------------------------------- last description


def description(root: Path, connection: str) -> dict[str, Any]:
    """Return what the last sync noted of a connection's objects: their fields, and whom their rows are about.

    `objects`: by name their `fields` (name → type, `history`, `custom`, `label`) and `people`: columns that hold ids of
    leads → what is put before them. Empty where nothing was synced, or the file is broken.
    """
    try:
        held = json.loads((connection_folder(root, connection) / DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"objects": {}}
    objects = held.get("objects") if isinstance(held, dict) else None
    return {"objects": objects if isinstance(objects, dict) else {}}


def undated(root: Path, spec: SourceSpec) -> frozenset[str]:
    """Return the headers of a source whose past the system does not keep, where it keeps that of others."""
    if spec.connection is None:
        return frozenset()
    told = description(root, spec.connection)["objects"].get(spec.object, {}).get("fields", {})
    kept = {name for name, field in told.items() if field.get("history")}
    return frozenset(set(told) - kept) if kept else frozenset()
