from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from leadlight.errors import UsageError
from leadlight.workspace import Workspace

SPEC = """
entity: applicant
sources: {applicants: {csv: applicants.csv, id: id}}
features:
  grown: {age: born}
learn: {protected: [sex, born]}
"""
CARD = """
base: 10
groups:
  standing:
    cap: [null, 60]
    criteria:
      - {name: Years in the job, letter: Length of employment, feature: job_years,
         bands: [[null, 1, 0], [1, 4, 10], [4, null, 25]], missing: 0}
      - {name: Was dismissed, letter: Length of employment, when: dismissed, points: -15}
      - {name: Savings, feature: savings, points: {none: 0, some: 10, much: 40}}
      - {name: Savings × job, features: [savings, job_years], bands: {job_years: [2]},
         table: {none: [-4, 0], some: [0, 0], much: [0, 0]}}
      - {name: Owns a home, letter: "Home ownership", when: home, points: 12}
  person:
    criteria:
      - {name: Sex, feature: sex, points: {m: 5, f: 0}}
      - {name: Age, feature: grown, bands: [[null, 9000, 0], [9000, null, 6]]}
gates:
  - {name: Bankrupt, letter: Bankruptcy, when: bankrupt, grade: C}
grades: {score: {A: 60, B: 35, C: null}}
"""
ROWS = 400


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("bank")
    dice = np.random.default_rng(1)
    rows = [
        (f"A{i:03}", dice.choice(["", 0, 2, 9]), dice.random() < 0.2, dice.choice(["none", "some", "much"]),
         dice.random() < 0.5, dice.choice(["m", "f"]), "1990-01-01", dice.random() < 0.1)
        for i in range(ROWS)
    ]  # fmt: skip
    names = ["id", "job_years", "dismissed", "savings", "home", "sex", "born", "bankrupt"]
    with (folder / "applicants.csv").open("w", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    (folder / "leadlight.yaml").write_text(SPEC)
    (folder / "scorecards").mkdir()
    (folder / "scorecards" / "house.yaml").write_text(CARD)
    workspace = Workspace(folder)
    workspace.ingest()
    return workspace


def ids(bank: Workspace) -> list[str]:
    return [row.ledger.id for row in bank.rank(limit=ROWS).rows]


@pytest.mark.parametrize("against", ["all", "passing", "best"])
def test_the_distances_add_up_to_the_reference_less_the_score(bank: Workspace, against: str) -> None:
    for lead in ids(bank)[::40]:
        found = bank.letter(lead, against=against, line="B")
        assert sum(item.distance for item in found.reasons) + found.rest == pytest.approx(
            found.reference - found.score, abs=1e-9
        )
        assert found.score == pytest.approx(bank.explain(lead).score)


def test_the_references_are_what_they_are_called(bank: Workspace) -> None:
    rows = [row.ledger for row in bank.rank(limit=ROWS).rows]
    scores = np.array([row.score for row in rows])
    lead = rows[-1].id
    assert bank.letter(lead, against="all").reference == pytest.approx(scores.mean())
    assert bank.letter(lead, against="best").reference == pytest.approx(10 + 60 + 11)  # base, the cap, person
    passed = np.sort([row.score for row in rows if row.grade in ("A", "B")])
    slightly = bank.letter(lead, against="passing", line="B").reference
    assert slightly == pytest.approx(passed[: max(20, ROWS // 10)].mean(), abs=2.0)  # ties at the end may differ


def test_one_reason_is_given_once_in_the_criterions_wording(bank: Workspace) -> None:
    for lead in ids(bank)[-60:]:
        found = bank.letter(lead, reasons=10, against="best")
        wordings = [item.wording for item in found.reasons]
        assert len(set(wordings)) == len(wordings)
        assert set(wordings) <= {"Length of employment", "Savings", "Home ownership"}


def test_a_pair_counts_half_to_each_side(bank: Workspace) -> None:
    lead = next(row.ledger for row in bank.rank(limit=ROWS).rows[::-1] if _points(row.ledger, "Savings × job") == -4)
    found = {item.wording: item.distance for item in bank.letter(lead.id, reasons=10, against="best").reasons}
    assert found["Savings"] == pytest.approx(40 - _points(lead, "Savings") + 2)
    expected = 25 - _points(lead, "Years in the job") - _points(lead, "Was dismissed") + 2
    assert found["Length of employment"] == pytest.approx(expected)


def _points(ledger: object, name: str) -> float:
    return next((item.points for item in ledger.contributions if item.name == name), 0.0)


def test_protected_attributes_are_no_reason_and_are_spoken_of(bank: Workspace) -> None:
    found = bank.letter(ids(bank)[-1], reasons=20, against="best")
    assert not {"Sex", "Age"} & {item.wording for item in found.reasons}
    assert [note.split(" rests")[0] for note in found.notes] == ["Sex", "Age"]  # age by way of a feature


def test_a_gate_is_the_first_reason_and_counts_among_them(bank: Workspace) -> None:
    gated = next(row.ledger for row in bank.rank(limit=ROWS).rows if row.ledger.gate)
    found = bank.letter(gated.id, reasons=3, against="best")
    assert found.wordings[0] == "Bankruptcy"
    assert len(found.wordings) <= 3
    assert str(found).startswith("1. Bankruptcy\n2. ")
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["letter"][0] == "Bankruptcy"


def test_nobody_is_told_of_what_is_above_the_reference(bank: Workspace) -> None:
    best = bank.letter(ids(bank)[0], against="all", reasons=10)
    assert all(item.distance > 0 for item in best.reasons)


def test_letters_for_everybody_below_the_line_are_the_letters_of_each(bank: Workspace, tmp_path: Path) -> None:
    written = bank.letters(tmp_path / "letters.csv", line="B", reasons=3)
    with (tmp_path / "letters.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    below = [row.ledger.id for row in bank.rank(limit=ROWS).rows if row.ledger.grade == "C"]
    assert written.rows == len(rows) == len(below)
    assert {row["id"] for row in rows} == set(below)
    for row in rows[::17]:
        said = [row[f"reason_{k}"] for k in (1, 2, 3) if row[f"reason_{k}"]]
        assert said == list(bank.letter(row["id"], reasons=3).wordings)


def test_a_line_must_be_a_grade_or_a_score(bank: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no score and no grade of house"):
        bank.letters(tmp_path / "x.csv", line="Z")
    with pytest.raises(UsageError, match="needs the line"):
        bank.letter(ids(bank)[0], against="passing")
    with pytest.raises(UsageError, match="cannot write"):
        bank.letters(tmp_path / "x.pdf", line="B")
    assert bank.letters(tmp_path / "all.csv", line="1000").rows == ROWS
