from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from leadlight.templates.init import init


@pytest.fixture
def bank(run: Run, tmp_path: Path) -> Path:
    """The playbook of financial services, read."""
    folder = tmp_path / "bank"
    init(folder, playbook="financial-services")
    run("ingest", "-w", folder)
    return folder


def test_a_letter_says_the_reasons_then_how_they_come_about(run: Run, bank: Path) -> None:
    ranking = run("rank", "-s", "creditworthiness", "-n", "400", "-w", bank, "--json").json
    last = ranking["rows"][-1]["id"]
    said = run("letter", last, "-s", "creditworthiness", "-w", bank)
    assert said.code == 0, said.err
    first, rest = said.out.split("not for the letter")
    assert first.startswith("Principal reasons:\n  1. ")
    assert "together" in rest
    found = run("letter", last, "-s", "creditworthiness", "--reasons", "2", "-w", bank, "--json").json
    assert len(found["letter"]) == 2
    together = sum(item["distance"] for item in found["reasons"]) + found["rest"]
    assert together == pytest.approx(found["reference"] - found["score"])


def test_letters_of_all_below_the_line(run: Run, bank: Path) -> None:
    into = bank / "letters.csv"
    said = run("letter", "--line", "C", "--into", into, "-s", "creditworthiness", "-w", bank)
    assert said.code == 0, said.err
    with into.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["grade"] for row in rows} == {"D"}
    assert all(row["reason_1"] for row in rows)


def test_what_makes_no_sense_is_said_with_the_fix(run: Run, bank: Path) -> None:
    nobody = run("letter", "-w", bank)
    assert nobody.code != 0
    assert "--line GRADE --into FILE.csv" in nobody.err
    both = run("letter", "A00001", "--into", bank / "l.csv", "--line", "B", "-w", bank)
    assert "Name no ID" in both.err
    unknown = run("letter", "A99999", "-s", "creditworthiness", "-w", bank)
    assert unknown.code != 0
    assert "A99999" in unknown.err
    passing = run("letter", "A00001", "--against", "passing", "-s", "creditworthiness", "-w", bank)
    assert "--line" in passing.err
