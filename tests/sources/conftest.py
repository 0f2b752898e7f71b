"""A folder of files to read, and what reading one gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.sources.read import Reading, read, release
from leadlight.spec.models import SourceSpec


@dataclass
class Result:
    """A reading and its rows, without `_file`, `_line` and `_place`."""

    reading: Reading
    rows: list[tuple[Any, ...]]
    lines: list[int]
    notes: list[str] = field(default_factory=list)

    @property
    def types(self) -> dict[str, str]:
        return {column.name: str(column.type) for column in self.reading.columns}

    @property
    def rejects(self) -> list[str]:
        """The rejects file, line by line, without its header."""
        path = self.reading.rejects_file
        return path.read_text(encoding="utf-8").splitlines()[1:] if path else []


Reader = Callable[..., Result]


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    engine = DuckDBEngine(None)
    yield engine
    engine.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The workspace's folder; rejects go to its `rejects`."""
    path = tmp_path / "workspace"
    path.mkdir()
    return path


@pytest.fixture
def read_source(engine: DuckDBEngine, folder: Path) -> Reader:
    """Read a source named `src` and take its rows out; afterwards nothing of it may be left in the engine."""

    def reader(*, known: Any = None, store_types: Any = None, progress: Any = None, **spec: Any) -> Result:
        reading = read(
            engine,
            "src",
            SourceSpec(**spec),
            folder,
            rejects_dir=folder / "rejects",
            known=known,
            types=store_types,
            progress=progress,
        )
        rows, lines = [], []
        if reading.table:
            rows = engine.rows(f"SELECT * EXCLUDE (_file, _line, _place) FROM {reading.table} ORDER BY _file, _line")
            lines = [line for (line,) in engine.rows(f"SELECT _line FROM {reading.table} ORDER BY _file, _line")]
        release(engine, reading)
        assert left_over(engine) == []
        return Result(reading, rows, lines, list(reading.notes))

    return reader


@pytest.fixture
def read_csv(folder: Path, read_source: Reader) -> Reader:
    """Write a file `f.csv` and read it as leads with the column `id`, unless told otherwise."""

    def reader(content: str | bytes, **spec: Any) -> Result:
        (folder / "f.csv").write_bytes(content.encode() if isinstance(content, str) else content)
        if not {"id", "lead", "account"} & set(spec):
            spec["id"] = "id"
        return read_source(csv="f.csv", **spec)

    return reader


def left_over(engine: DuckDBEngine) -> list[str]:
    """Tables and views in the engine that the reading has not taken away."""
    return [
        str(name)
        for (name,) in engine.rows(
            "SELECT table_name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal"
        )
    ]
