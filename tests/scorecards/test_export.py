from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.scorecards.shop import LEADS, open_shop

from leadlight.errors import UsageError
from leadlight.workspace import Workspace


def test_csv_has_everybody_in_order_and_adds_up(shop: Workspace, tmp_path: Path) -> None:
    exported = shop.export(str(tmp_path / "ranking.csv"))
    with (tmp_path / "ranking.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert exported.rows == 4
    assert [row["id"] for row in rows] == ["ann", "bob", "di", "cy"]
    for row in rows:
        items = [float(row[name]) for name in row if "__" in name]
        assert float(row["score"]) == pytest.approx(1 + sum(items), abs=1e-9)
    assert rows[3]["reasons"] == "Competitor: grade C3; Seniority +15; Asked for a demo +10; Company size +5"
    assert "-0.0" not in (tmp_path / "ranking.csv").read_text()


def test_parquet_and_table(shop: Workspace, tmp_path: Path) -> None:
    shop.export(str(tmp_path / "ranking.parquet"))
    assert pq.read_table(tmp_path / "ranking.parquet")["id"].to_pylist() == ["ann", "bob", "di", "cy"]
    for _ in range(2):  # again replaces
        shop.export("table:ranking")
    with shop.store() as engine:
        assert engine.rows("SELECT count(*) FROM ranking") == [(4,)]


@pytest.mark.parametrize("target", ["ranking.xml", "table:leads", "table:EVENTS", 'table:x"y', "nowhere/r.csv"])
def test_what_cannot_be_written(shop: Workspace, target: str) -> None:
    with pytest.raises(UsageError):
        shop.export(target)


def test_spreadsheets_get_no_formulas(tmp_path: Path) -> None:
    workspace = open_shop(tmp_path)
    hostile = ['=cmd|"/c calc"!A1', "+1+1", "-2", "@sum", "plain"]
    lines = [
        f'"{name.replace(chr(34), chr(34) * 2)}",2026-01-01,x{i}@a.example,Acme,vp,50' for i, name in enumerate(hostile)
    ]
    (tmp_path / "leads.csv").write_text("\n".join([LEADS.splitlines()[0], *lines]) + "\n")
    workspace.ingest()
    workspace.export(str(tmp_path / "r.csv"))
    with (tmp_path / "r.csv").open(newline="") as file:
        found = {row["id"] for row in csv.DictReader(file)}
    assert found == {"'" + name for name in hostile[:4]} | {"plain"} | found - {"plain"} - {
        "'" + n for n in hostile[:4]
    }
    assert not [name for name in found if name[0] in "=+-@"]
