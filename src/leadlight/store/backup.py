"""One file that holds a workspace: its store, its specs, and what the service keeps in `.leadlight`; and the way back.

It is a plain tar archive: `manifest.json` first, then `store.duckdb` and the files under their own names. The store
is copied inside DuckDB, as of one moment, while others read it; SQLite files (calls that wait, answers of the network)
by SQLite's own backup. So it may be made while `leadlight serve` runs: by whoever writes the store, between two
micro-batches, so that what waits and what is stored fit together.

The manifest has the SHA-256 of every file, and for every table its rows and a hash of what is in them. Both are looked
at before anything is put back. What stood in the place is moved aside, not lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from leadlight.engines.base import Engine
from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import LeadlightError, StoreError, UsageError
from leadlight.spec.readable import Readable
from leadlight.store.open import store_path
from leadlight.store.sql import fill

OURS = ".leadlight"
BACKUPS = Path(OURS) / "backups"
"""Where, in the workspace, the service puts backups."""
LEFT_OUT = ("backups", "before-restore")
MANIFEST, STORE = "manifest.json", "store.duckdb"
FORMAT = 1
SQLITE = b"SQLite format 3\x00"
BESIDE = ("-wal", "-shm", "-journal", ".lock", ".new")
"""Endings of files that are nothing without another one."""


class BackupError(LeadlightError):
    """A file is no backup of Leadlight, or not as it was written."""

    exit_code = 4


@dataclass(frozen=True, slots=True, repr=False)
class BackedUp(Readable):
    """What is in a backup, when it was made or put back."""

    file: Path
    at: datetime
    bytes: int
    tables: Mapping[str, int]
    files: int
    aside: Path | None = None
    """Where what stood in the place is now, after a restore."""
    restored: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "file": str(self.file),
            "at": self.at.isoformat() + "Z",
            "bytes": self.bytes,
            "rows": sum(self.tables.values()),
            "tables": dict(self.tables),
            "files": self.files,
            "restored": self.restored,
            "aside": None if self.aside is None else str(self.aside),
        }

    def __str__(self) -> str:
        rows, what = f"{sum(self.tables.values()):,} rows", f"{self.files:,} files"
        if not self.restored:
            return f"{self.file}: {rows} of the store and {what}, {self.bytes / 1e6:.1f} MB"
        moved = f"; what was there is in {self.aside}" if self.aside else ""
        return f"Restored {rows} and {what} as of {self.at:%Y-%m-%d %H:%M} UTC{moved}"


# --------------------------------------------------------------------------------------------------------- making one


def backup(engine: Engine, root: Path, address: str, file: Path, *, now: datetime) -> BackedUp:
    """Write a backup of the workspace at `root` whose store is at an address; nobody may write to it meanwhile.

    Raises UsageError where the file exists or the store is no file of ours, OSError where it cannot be written.
    """
    if not isinstance(engine, DuckDBEngine):
        raise UsageError(
            "the store in PostgreSQL is backed up by PostgreSQL's own means",
            fix="Run pg_dump --format=custom (and pg_restore), and keep leadlight.yaml, scorecards and .leadlight.",
        )
    if (store := store_path(address, root)) is None:
        raise UsageError("a store in memory cannot be backed up", fix="Write `store: duckdb:leadlight.duckdb`.")
    if file.exists():
        raise UsageError(f"{file} exists", fix="Name another file.")
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".backup-") as folder:
        room = Path(folder)
        engine.copy_to(room / STORE)
        tables = _summed(room / STORE)
        found = dict(_gathered(root, room))
        manifest = {
            "format": FORMAT, "leadlight": version("leadlight"), "duckdb": version("duckdb"),
            "at": f"{now.isoformat()}Z", "store": os.path.relpath(store, root),
            "tables": tables, "files": {name: _sha256(path) for name, path in found.items()},
            "sha256": _sha256(room / STORE),
        }  # fmt: skip
        (room / MANIFEST).write_text(json.dumps(manifest, indent=1))
        _pack(room, found, fresh := room / "backup.tar")
        size = fresh.stat().st_size
        fresh.replace(file)
    return BackedUp(file, now, size, {name: rows for name, (rows, _) in tables.items()}, len(found))


def _gathered(root: Path, room: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of a workspace beside its store: name in the backup, and where its content is now."""
    specs = [root / "leadlight.yaml", *sorted((root / "scorecards").glob("**/*.yaml"))]
    ours = sorted(path for path in (root / OURS).glob("**/*") if not _left_out(path.relative_to(root / OURS)))
    for path in (*specs, *ours):
        if not path.is_file() or path.is_symlink():
            continue
        name = path.relative_to(root).as_posix()
        copied = room / "files" / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        _copy(path, copied)
        yield name, copied


def _left_out(path: Path) -> bool:
    """Say whether a file is no part of a backup.

    Of what was synced the lake is, but not where reading goes on: it may be ahead of the files that were copied, and a
    sync that begins anew finds again what it knows.
    """
    going_on = path.parts[0] == "sync" and len(path.parts) > 3 and path.parts[2] in ("work", "landing", "room")
    return going_on or path.parts[0].startswith(LEFT_OUT) or path.name.endswith((".schema.json", *BESIDE))


def _copy(path: Path, to: Path) -> None:
    with path.open("rb") as file:
        ours = file.read(len(SQLITE)) == SQLITE
    if not ours:
        shutil.copyfile(path, to)
        return
    address = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as source, closing(sqlite3.connect(to)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def _pack(room: Path, found: Mapping[str, Path], to: Path) -> None:
    """Write the archive, for its owner's eyes only: it holds people's data."""
    with open(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, path in {MANIFEST: room / MANIFEST, STORE: room / STORE, **_inside(found)}.items():
                archive.add(path, name, recursive=False)
        file.flush()
        os.fsync(file.fileno())


def _inside(found: Mapping[str, Path]) -> dict[str, Path]:
    return {f"files/{name}": path for name, path in found.items()}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _summed(path: Path) -> dict[str, tuple[int, str]]:
    """Return for every table of a store how many rows it has, and a hash of them in any order."""
    engine = DuckDBEngine(path, read_only=True)
    try:
        return {
            name: (int(count), str(digest))
            for name in sorted(engine.tables())
            for count, digest in engine.rows(
                fill("SELECT count(*), coalesce(sum(hash(t)::HUGEINT), 0)::VARCHAR FROM {name} t", name=name)
            )
        }
    finally:
        engine.close()


# -------------------------------------------------------------------------------------------------------- the way back


def restore(root: Path, file: Path, *, force: bool = False, now: datetime) -> BackedUp:
    """Put a backup into the folder of a workspace, which no process may have in use.

    Where there is a store or another file that differs, UsageError is raised, unless with `force`: then what is there
    is moved aside first. Raises BackupError for a file that is no backup, or not as it was written; nothing is changed
    then.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _unpacked(root, file) as (room, manifest):
        moves = {PurePosixPath(manifest["store"]): room / STORE}
        moves |= {PurePosixPath(name): room / "files" / name for name in manifest["files"]}
        targets = {root / name: path for name, path in moves.items()}
        present = [to for to, path in targets.items() if to.exists() and _differs(to, path)]
        if present and not force:
            names = ", ".join(str(path.relative_to(root)) for path in present[:3])
            raise UsageError(
                f"{root} has {names} already",
                fix="Restore into an empty folder (-w), or add --force: what is there is moved aside.",
            )
        _free(root / PurePosixPath(manifest["store"]))
        aside = _aside(root, now, present) if present else None
        for to, path in targets.items():
            to.parent.mkdir(parents=True, exist_ok=True)
            path.replace(to)
    tables = {name: int(rows) for name, (rows, _) in manifest["tables"].items()}
    at = datetime.fromisoformat(manifest["at"].removesuffix("Z"))
    return BackedUp(file, at, file.stat().st_size, tables, len(manifest["files"]), aside, restored=True)


@contextmanager
def _unpacked(root: Path, file: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Unpack a backup beside where it belongs, and look whether it is as it was written."""
    with tempfile.TemporaryDirectory(dir=root, prefix=".restore-") as folder:
        room = Path(folder)
        try:
            with tarfile.open(file) as archive:
                archive.extractall(room, filter="data")
            manifest = json.loads((room / MANIFEST).read_text())
            _check(room, manifest)
        except FileNotFoundError as error:
            if not file.exists():
                raise UsageError(f"there is no file {file}") from None
            raise BackupError(f"{file} lacks {Path(error.filename or '').name}: it is no whole backup") from None
        except tarfile.ReadError:
            what = "it can't be unpacked" if file.stat().st_size else "it is empty"
            raise BackupError(f"{file} is no backup of Leadlight: {what}") from None
        except (tarfile.TarError, ValueError, KeyError, TypeError, AttributeError, StoreError) as error:
            raise BackupError(f"{file} is no backup of Leadlight: {str(error).splitlines()[0]}") from None
        yield room, manifest


def _check(room: Path, manifest: Mapping[str, Any]) -> None:
    if manifest["format"] != FORMAT:
        raise ValueError(f"its format is {manifest['format']!r}; upgrade leadlight")
    names = [manifest["store"], *manifest["files"]]
    if any(PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts for name in names):
        raise ValueError("it has files that belong elsewhere")
    for name, digest in {STORE: manifest["sha256"], **_prefixed(manifest["files"])}.items():
        if _sha256(room / name) != digest:
            raise ValueError(f"{name} is not as it was written")
    found = _summed(room / STORE)
    same = manifest["duckdb"] == version("duckdb")  # another version may hash otherwise
    for name, (rows, digest) in manifest["tables"].items():
        if found.get(name, (None, ""))[0] != rows or (same and found[name][1] != digest):
            raise ValueError(f"the table {name} is not as it was written")


def _prefixed(files: Mapping[str, str]) -> dict[str, str]:
    return {f"files/{name}": digest for name, digest in files.items()}


def _differs(to: Path, path: Path) -> bool:
    return to.stat().st_size != path.stat().st_size or _sha256(to) != _sha256(path)


def _free(store: Path) -> None:
    """Raise StoreInUse where another process has the store."""
    if store.exists():
        DuckDBEngine(store).close()


def _aside(root: Path, now: datetime, present: list[Path]) -> Path:
    """Move files away, each with what it is nothing without."""
    aside = root / OURS / f"before-restore-{now:%Y%m%dT%H%M%S}"
    for path in present:
        beside = [path.with_name(path.name + ending) for ending in (*BESIDE, ".wal")]
        for each in (path, *(one for one in beside if one.exists())):
            to = aside / each.relative_to(root)
            to.parent.mkdir(parents=True, exist_ok=True)
            each.replace(to)
    return aside
