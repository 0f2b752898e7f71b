"""Which files were read, how they were described then, and what they held."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.spec.models import SourceSpec

NOT_ABOUT_READING = {"reject_limit", "merge_by"}


def spec_hash(spec: SourceSpec) -> str:
    """Return a hash of how a source is described: another one means that its files read differently.

    >>> spec_hash(SourceSpec(csv="a.csv", id="id")) == spec_hash(SourceSpec(csv="a.csv", id="id", reject_limit=0.5))
    True
    """
    text = spec.model_dump_json(exclude_defaults=True, exclude=NOT_ABOUT_READING)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def known_files(engine: Engine, source: str, spec: str) -> dict[str, str]:
    """Return path → fingerprint of the files read for a source under this description."""
    return dict(engine.rows("SELECT path, fingerprint FROM files WHERE source = ? AND spec = ?", [source, spec]))


def record_file(
    engine: Engine, *, source: str, path: str, fingerprint: str, spec: str, read_at: datetime, rows: int, rejected: int
) -> bool:
    """Note that a file was read; false when the same content was noted before."""
    same = engine.rows(
        "SELECT 1 FROM files WHERE source = ? AND path = ? AND fingerprint = ? AND spec = ?",
        [source, path, fingerprint, spec],
    )
    if same:
        return False
    engine.execute("DELETE FROM files WHERE source = ? AND path = ?", [source, path])
    engine.execute(
        "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", [source, path, fingerprint, spec, read_at, rows, rejected]
    )
    return True


def stand_for(engine: Engine, source: str, paths: Collection[str], *, spec: str, read_at: datetime) -> None:
    """Let these files stand for all that was read of a source: they hold the rows of those that are gone."""
    known = {file.path: file.rows for file in last_read(engine, source)}
    gone, new = [path for path in known if path not in paths], [path for path in paths if path not in known]
    if not gone or not new:
        return
    rows = sum(known[path] for path in gone)
    for path in gone:
        engine.execute("DELETE FROM files WHERE source = ? AND path = ?", [source, path])
    for path in new:
        told = rows if path == new[-1] else 0
        engine.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, 0)", [source, path, "lake", spec, read_at, told])


@dataclass(frozen=True, slots=True)
class LastRead:
    """A file as it was read last."""

    path: str
    spec: str
    rows: int


def last_read(engine: Engine, source: str) -> list[LastRead]:
    """Return the files of a source as they were read last."""
    found = engine.rows("SELECT path, spec, rows FROM files WHERE source = ? ORDER BY path", [source])
    return [LastRead(*row) for row in found]


def same_files_elsewhere(engine: Engine, files: Mapping[str, str], spec: str) -> list[str]:
    """Return the sources that have read any of these files (path → fingerprint) under the same description."""
    found = engine.rows("SELECT source, path, fingerprint FROM files WHERE spec = ? ORDER BY source, path", [spec])
    return list(dict.fromkeys(source for source, path, fingerprint in found if files.get(path) == fingerprint))
