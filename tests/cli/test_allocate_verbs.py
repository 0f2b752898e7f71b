from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.scorecards.shop import open_shop

from leadlight.cli.app import main

AS_OF = ("--as-of", "2026-03-01")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    open_shop(tmp_path).ingest()
    (tmp_path / "agents.csv").write_text("agent,hours,skills\nann,1,vp manager\nbo,1,manager\n")
    return tmp_path


def call(shop: Path, *told: str) -> int:
    return main(["allocate", *told, "-w", str(shop), *AS_OF])


def test_a_bare_capacity_counts_leads(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(shop, "--capacity", "2") == 0
    out = capsys.readouterr().out
    assert out.startswith("2 leads for 4 leads, ranked by house as of 2026-03-01 00:00 UTC")
    assert "waiting (2): 2 not enough leads left" in out
    assert "the optimum" in out


def test_pools_and_what_they_can_do(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = [
        "--capacity",
        "hours=hours",
        "--pools",
        str(shop / "agents.csv"),
        "--fits",
        "contains(pool_skills, seniority)",
    ]
    assert call(shop, *told, str(shop / "out.csv")) == 0
    out = capsys.readouterr().out
    assert "2 hours of 2 pools" in out
    assert "no pool may serve it" in out
    assert len((shop / "out.csv").read_text().splitlines()) == 5
    assert call(shop, *told, "--no-best", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["best"], document["by_rank"]["served"]) == (None, 2)
    assert [row["pool"] for row in document["served"]] == ["ann", "bo"]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ([], "how much is there to give away"),
        (["--capacity", "gpu="], "'gpu=' is not RESOURCE=N"),
        (["--capacity", "gpu=-1"], "'-1' is no number from 0 on"),
        (["--capacity", "a=1", "--capacity", "a=2"], "a is told twice"),
        (["--capacity", "a=1", "--need", "employees"], "'employees' is not RESOURCE=N"),
        (["--capacity", "a=1", "--need", "a=employes"], "did you mean 'employees'"),
    ],
)
def test_faults_say_what_to_type(shop: Path, capsys: pytest.CaptureFixture[str], told: list[str], message: str) -> None:
    assert call(shop, *told) in (2, 6)
    assert message in capsys.readouterr().err


def test_ranks_within_groups_are_drawn_group_by_group(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", "--per", "account", "-w", str(shop), *AS_OF]) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line for line in lines if line.startswith("account ")]
    assert heads == ["account Acme: 2 leads", "account (none): 1 lead", "account Rival: 1 lead"]
