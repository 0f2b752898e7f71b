"""The lake's files: new ones moved to their place, many small ones made one, left-overs of killed runs removed."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadlight.connect.columns import ARROW
from leadlight.errors import StoreInUse
from leadlight.expr.types import Type
from leadlight.sources.lake import (
    DESCRIPTION,
    FRESH,
    GONE,
    HASH,
    ID,
    INTO,
    KNOWN_AT,
    TYPES,
    LakeFile,
    connection_folder,
    lake_file,
    lake_files,
    rewrite,
)
from leadlight.sources.part import named, quoted

MOST_FILES = 64
"""Of so many files of an object, the small ones are made one."""
SMALL = 64 << 20
"""Bytes below which a file is small."""
LOCK = "lock"
OWN = {ID: pa.string(), KNOWN_AT: pa.timestamp("us"), GONE: pa.bool_(), INTO: pa.string(), HASH: pa.uint64()}


def schema_of(fields: Mapping[str, Type]) -> pa.Schema:
    """Return the columns of an object's files."""
    return pa.schema([*OWN.items(), *((name, ARROW[type_]) for name, type_ in fields.items())])


def begin(folder: Path, fields: Mapping[str, Type]) -> None:
    """Make an object's folder with a file that has no rows, so that its columns are known from the first."""
    folder.mkdir(parents=True, exist_ok=True)
    if lake_files(folder):
        return
    path = folder / f"{0:08d}-{secrets.token_hex(3)}.parquet"
    pq.write_table(schema_of(fields).empty_table(), fresh := path.with_suffix(FRESH))
    fresh.replace(path)


def publish(folder: Path, files: Iterable[Path]) -> int:
    """Move files to their place in an object's folder, in their order; return how many there were."""
    count = 0
    for path in files:
        known = lake_files(folder)
        target = folder / f"{known[-1].last + 1:08d}-{known[-1].token}.parquet"
        path.replace(target)
        count += 1
    return count


def types_of(files: Sequence[LakeFile]) -> dict[str, Type]:
    """Return the fields that files of an object have, with their types; the first one that has a field says which."""
    found: dict[str, Type] = {}
    kinds = {str(arrow): type_ for type_, arrow in ARROW.items()}
    for one in files:
        for field in pq.read_schema(one.path):
            if field.name not in OWN and str(field.type) in kinds:
                found.setdefault(field.name, kinds[str(field.type)])
    return found


def relation(files: Sequence[LakeFile]) -> str:
    """Return the FROM item that reads files of an object."""
    paths = ", ".join(quoted(str(one.path)) for one in files)
    return f"read_parquet([{paths}], union_by_name = true)"


def compact(folder: Path, *, most: int | None = None) -> bool:
    """Make the small files at the end of an object's one where there are more than `most`; say whether there were.

    `most` is `MOST_FILES` unless told. It may be killed at any moment: the new file stands for the old ones as soon as
    it has its name.
    """
    clean(folder)
    run: list[LakeFile] = []
    for one in reversed(lake_files(folder)):
        if one.path.stat().st_size >= SMALL:
            break
        run.insert(0, one)
    if len(run) <= (MOST_FILES if most is None else most):
        return False
    target = folder / f"{run[0].first:08d}-{run[-1].last:08d}-{run[0].token}.parquet"
    rewrite(f"SELECT * FROM {relation(run)}", target)  # noqa: S608
    clean(folder)
    return True


def clean(folder: Path) -> None:
    """Remove files whose rows another one holds too, and half-written ones."""
    kept = {one.path for one in lake_files(folder)}
    for path in folder.glob("*.parquet"):
        if path not in kept and lake_file(path) is not None:
            path.unlink()
    for path in folder.glob(f"*{FRESH}"):
        path.unlink()


def write_description(root: Path, connection: str, objects: Mapping[str, Any]) -> None:
    """Note what the system's objects are, for `check` and for erasing; others that were noted before stay."""
    from leadlight.sources.lake import description

    held = {**description(root, connection)["objects"], **objects}
    path = connection_folder(root, connection) / DESCRIPTION
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(FRESH)
    fresh.write_text(json.dumps({"objects": held}, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")
    fresh.replace(path)


@contextmanager
def held(root: Path, connection: str, *, wait: bool = False) -> Iterator[None]:
    """Keep others from reading or rewriting a connection meanwhile.

    Raises StoreInUse where somebody does; with `wait`, they are waited for.
    """
    folder = connection_folder(root, connection)
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            who = os.pread(handle, 100, 0).decode(errors="replace") or "another process"
            raise StoreInUse(f"of the connection {connection}", who) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()}".encode(), 0)
        yield
    finally:
        os.close(handle)


def last_versions(files: Sequence[LakeFile], fields: Mapping[str, Type], ids: str) -> str:
    """Return the query of what the records of `ids` (a query of one column) were last: `_id` and the fields."""
    have = types_of(files)
    more = "".join(
        f", {named(name)}" if name in have else f", NULL::{TYPES[type_]} AS {named(name)}"
        for name, type_ in fields.items()
    )
    return (
        f"SELECT {ID}{more} FROM {relation(files)} WHERE {ID} IN ({ids}) "  # noqa: S608
        f"QUALIFY row_number() OVER (PARTITION BY {ID} ORDER BY {KNOWN_AT} DESC NULLS LAST) = 1"
    )
