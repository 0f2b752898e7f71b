"""Who was erased is taken out of the lake, and stays out: salted hashes of the ids that a connection's records have."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from leadlight.sources.lake import FRESH, RAW, SYNC, LakeFile, description, escaped, lake_files, rewrite
from leadlight.sources.part import named, quoted

FILE = "erased.json"
ERASING = ".erasing"
"""The ending of a file that is written anew without somebody: not one that a sync would tidy away."""


@dataclass(frozen=True, slots=True)
class Erasures:
    """Hashes of ids of erased people, all with one salt."""

    salt: str
    hashes: frozenset[str]

    def hash(self, id: str) -> str:  # noqa: A002 - the user's word
        """Return an id's hash."""
        return hashlib.sha256((self.salt + id).encode()).hexdigest()

    def has(self, id: Any) -> bool:  # noqa: A002
        """Say whether this is an id of somebody who was erased."""
        return bool(self.hashes) and isinstance(id, str) and self.hash(id) in self.hashes


def erasures(folder: Path) -> Erasures:
    """Return who was erased of a connection."""
    try:
        held = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Erasures(secrets.token_hex(16), frozenset())
    return Erasures(str(held["salt"]), frozenset(map(str, held["hashes"])))


def _note(folder: Path, ids: Iterable[str]) -> None:
    known = erasures(folder)
    hashes = known.hashes | {known.hash(one) for one in ids}
    fresh = (folder / FILE).with_suffix(FRESH)
    fresh.write_text(json.dumps({"salt": known.salt, "hashes": sorted(hashes)}), encoding="utf-8")
    fresh.replace(folder / FILE)


@dataclass(frozen=True, slots=True)
class _About:
    """Rows of an object that are about people: its files, the column that says whom, and their ids there."""

    name: str
    files: tuple[LakeFile, ...]
    column: str
    ids: tuple[str, ...]

    @property
    def condition(self) -> str:
        return f"{named(self.column)} IN ({', '.join(map(quoted, self.ids))})"


def _connections(root: Path) -> Iterator[Path]:
    yield from sorted(path for path in (root / SYNC).glob("*") if (path / RAW).is_dir())


def _about(root: Path, connection: Path, ids: Sequence[str]) -> Iterator[_About]:
    objects: Mapping[str, Any] = description(root, connection.name)["objects"]
    for name, told in objects.items():
        files = tuple(lake_files(connection / RAW / escaped(name)))
        for column, prefix in told.get("people", {}).items():
            theirs = tuple(one.removeprefix(prefix) for one in ids if one.startswith(prefix))
            if theirs and files:
                yield _About(name, files, column, theirs)


def synced_rows(root: Path, ids: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    """Return what the lake has about people with these ids, row by row, with connection and object."""
    found: list[Mapping[str, Any]] = []
    for connection in _connections(root):
        for about in _about(root, connection, ids):
            where = {"connection": connection.name, "object": about.name}
            found += ({**where, **row} for one in about.files for row in _rows(one, about))
    return tuple(found)


def _rows(one: LakeFile, about: _About) -> Iterator[Mapping[str, Any]]:
    if about.column not in pq.read_schema(one.path).names:
        return
    with duckdb.connect() as desk:
        query = f"SELECT * FROM read_parquet({quoted(str(one.path))}) WHERE {about.condition}"  # noqa: S608
        for row in desk.sql(query).to_arrow_table().to_pylist():
            yield {name: value for name, value in row.items() if value is not None and name != "_hash"}


def forget_synced(root: Path, ids: Sequence[str]) -> int:
    """Remove people with these ids from the lake, from its bytes too; return how many rows that were.

    They stay out of it: whatever a system says of them later is not kept.
    """
    count = 0
    for connection in _connections(root):
        found = list(_about(root, connection, ids))
        if found:
            _note(connection, {one for about in found for one in about.ids})
        for about in found:
            count += sum(_removed(one, about.column, about.condition) for one in about.files)
    return count


def _removed(one: LakeFile, column: str, condition: str) -> int:
    if column not in pq.read_schema(one.path).names:
        return 0
    table = f"read_parquet({quoted(str(one.path))})"
    with duckdb.connect() as desk:
        rows = int(desk.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchall()[0][0])  # noqa: S608
    if rows:
        rewrite(f"SELECT * FROM {table} WHERE ({condition}) IS NOT TRUE", one.path, ending=ERASING)  # noqa: S608
    return rows


def people_columns(root: Path, connection: str, name: str) -> list[str]:
    """Return the columns of an object's rows that say whom they are about."""
    return list(description(root, connection)["objects"].get(name, {}).get("people", {}))


def drop_erased(files: Sequence[LakeFile], columns: Iterable[str], erased: Erasures) -> None:
    """Remove rows about people who were erased while these files were written."""
    for one in files:
        for column in columns:
            if column not in pq.read_schema(one.path).names:
                continue
            values = pq.read_table(one.path, columns=[column]).column(0).unique().to_pylist()
            ids = [value for value in values if erased.has(value)]
            if ids:
                _removed(one, column, f"{named(column)} IN ({', '.join(map(quoted, ids))})")
