"""A journey: a hand-written workspace of this folder, the raw files of a public data set, and the way through both.

Each is read in two steps, the older half of the rows first, so that tests can see that later rows change no score of
an earlier moment.
"""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TextIO

import duckdb
import pytest

from leadlight.scorecards.score import ScoreRun
from leadlight.sources.ingest_report import IngestReport
from leadlight.workspace import Workspace

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "shared" / "data"

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Route:
    """Where a journey's rows come from, in which two steps they are read, and which moments are scored."""

    entity: str
    scorecard: str
    folder: str
    """The data set's folder."""
    split: Mapping[str, Callable[[Row], bool]]
    """File name → whether a row belongs to the older half."""
    first_read: datetime
    early: datetime
    """Scored; before any of the younger half happened."""
    second_read: datetime
    late: datetime
    """Scored too."""
    rest: str | None = None
    """The file name for the younger rows of the first file, where they come beside it and not in its place."""


@dataclass(frozen=True, slots=True)
class Journey:
    """A journey that was made: everything was read and both moments were scored."""

    route: Route
    workspace: Workspace
    ingests: tuple[IngestReport, IngestReport]
    half: Mapping[str, float]
    """Id → score as of `early`, as it was when only the older half had been read."""
    runs: Mapping[datetime, ScoreRun]
    base: float
    rankings: dict[datetime, list[dict[str, Any]]] = field(default_factory=dict, repr=False)

    @property
    def root(self) -> Path:
        """The workspace's folder."""
        return self.workspace.root

    def copy(self, folder: Path) -> Workspace:
        """Copy the workspace with its store, to edit or to erase in."""
        shutil.copytree(self.root, folder)
        return Workspace(folder, now=self.workspace.now)

    def ranking(self, as_of: datetime) -> list[dict[str, Any]]:
        """Export the ranking and read it back, a mapping for each row; once for each moment."""
        if as_of not in self.rankings:
            self.workspace.export(str(self.root / "ranking.parquet"), as_of=as_of)
            self.rankings[as_of] = table(self.root / "ranking.parquet")
        return self.rankings[as_of]


def table(path: Path) -> list[dict[str, Any]]:
    """Read a CSV or Parquet file."""
    with duckdb.connect(config={"threads": 1}) as connection:
        return connection.sql(f"FROM '{path}'").to_arrow_table().to_pylist()


def travel(name: str, route: Route, folder: Path) -> Journey:
    """Make a journey in a folder."""
    raw = DATA / route.folder
    if not raw.is_dir():
        pytest.skip(f"the data set {route.folder} is not in ../shared/data")
    root = folder / name
    shutil.copytree(HERE / name, root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (root / "data").mkdir()
    for file, older in route.split.items():
        write_rows(raw / file, root / "data" / file, older)
    before = Workspace(root, now=lambda: route.first_read)
    first = before.ingest()
    before.export(str(root / "half.parquet"), as_of=route.early)
    for number, (file, older) in enumerate(route.split.items()):
        if number == 0 and route.rest is not None:
            write_rows(raw / file, root / "data" / route.rest, lambda row, older=older: not older(row))
        else:
            shutil.copyfile(raw / file, root / "data" / file)
    workspace = Workspace(root, now=lambda: route.second_read)
    second = workspace.ingest()
    runs = {as_of: workspace.score(as_of=as_of)[0] for as_of in (route.early, route.late)}
    half = {row["id"]: row["score"] for row in table(root / "half.parquet")}
    base = workspace.loaded.scorecards[route.scorecard].spec.base
    return Journey(route, workspace, (first, second), half, runs, base)


def read_rows(path: Path) -> list[Row]:
    """Read a raw file as it is, with nothing but the standard library."""
    with opened(path, "rt") as file:
        return list(csv.DictReader(file))


def write_rows(raw: Path, target: Path, wanted: Callable[[Row], bool]) -> None:
    """Copy the header and the wanted rows of a CSV file."""
    with opened(raw, "rt") as source, opened(target, "wt") as file:
        reader, writer = csv.reader(source), csv.writer(file)
        header = next(reader)
        writer.writerow(header)
        writer.writerows(row for row in reader if wanted(dict(zip(header, row, strict=True))))


def opened(path: Path, mode: Literal["rt", "wt"]) -> TextIO:
    """Open a text file, packed or not."""
    if path.suffix != ".gz":
        return path.open(mode, encoding="utf-8", newline="")
    return gzip.open(path, mode, compresslevel=1, encoding="utf-8", newline="")


def moment(text: str) -> datetime:
    """Read `2016-04-15` or `2016-04-15T09:00`, as UTC without a zone."""
    return datetime.fromisoformat(text)


def day_first(text: str) -> datetime:
    """Read `29/2/2016 01:16`."""
    date, time = text.split()
    day, month, year = map(int, date.split("/"))
    hour, minute = map(int, time.split(":"))
    return moment(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}")


def auc(ranked: list[tuple[float, bool]]) -> float:
    """Return the chance that a won one stands above another, ties half, from (score, won): Mann and Whitney's U."""
    by_score: dict[float, list[int]] = {}
    for score, won in ranked:
        by_score.setdefault(score, [0, 0])[won] += 1
    below, favourable = 0, 0.0
    for score in sorted(by_score):
        others, wins = by_score[score]
        favourable += wins * (below + others / 2)
        below += others
    wins = sum(won for _, won in ranked)
    return favourable / (wins * (len(ranked) - wins))
