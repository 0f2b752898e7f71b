"""Worlds that several tests look at; all are read only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from leadlight.simulate import SimulationReport, World, simulate
from leadlight.simulate.intent import Paths
from leadlight.simulate.leads import Leads
from leadlight.simulate.run import make_chunk


@dataclass(frozen=True, slots=True)
class Small:
    """A small world on disk, with its files as views of a database."""

    folder: Path
    report: SimulationReport
    db: duckdb.DuckDBPyConnection

    def value(self, sql: str) -> float:
        """The one number a query gives."""
        row = self.db.execute(sql).fetchone()
        assert row is not None
        return float(row[0])


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """The world the demo shows: 5,000 leads, seed 1."""
    folder = tmp_path_factory.mktemp("world")
    report = simulate(folder)
    with duckdb.connect() as db:
        for path in report.files:
            db.execute(f"CREATE VIEW {path.stem} AS FROM '{path}'")
        yield Small(folder, report, db)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many leads in memory, with what is hidden."""

    world: World
    leads: Leads
    paths: Paths


@pytest.fixture(scope="session")
def crowd() -> Crowd:
    """40,000 leads of the world with seed 3."""
    world = World(seed=3)
    return Crowd(world, *make_chunk(world, 0, 64 * 625))
