"""Which files were read, how they were described then, and what they held."""

from __future__ import annotations

import hashlib
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
