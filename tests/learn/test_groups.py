from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from tests.learn.company import UNTIL

from leadlight.errors import UsageError
from leadlight.learn.groups import at_line, first_of, groups_of
from leadlight.spec.models import GradesSpec
from leadlight.workspace import Workspace


def test_numbers_become_bands_and_texts_stay() -> None:
    ages = np.r_[np.random.default_rng(1).integers(20, 80, 500).astype(float), np.nan]
    found = groups_of(pa.chunked_array([ages]))
    assert 3 <= len(set(found)) <= 6
    assert found[-1] == "missing"
    assert all(
        count > 50 for name, count in zip(*np.unique(found, return_counts=True), strict=True) if name != "missing"
    )
    few = groups_of(pa.chunked_array([[1.0, 2.0, None]]))
    assert few.tolist() == ["1", "2", "missing"]
    assert groups_of(pa.chunked_array([["f", None]])).tolist() == ["f", "missing"]
    assert groups_of(pa.chunked_array([[True, False]])).tolist() == ["true", "false"]


def test_a_line_is_a_grade_and_all_better_or_a_score() -> None:
    grades = GradesSpec.model_validate({"score": {"A": 20, "B": 0, "C": None}})
    score, grade = np.array([30.0, 5.0, -5.0]), ["A", "B", "C"]
    assert at_line("B", score, grade, grades).tolist() == [True, True, False]
    assert at_line("10", score, grade, grades).tolist() == [True, False, False]
    with pytest.raises(UsageError, match="no score and no grade"):
        at_line("Z", score, grade, grades)


def protect(company: Workspace, names: str) -> Workspace:
    spec = company.root / "leadlight.yaml"
    spec.write_text(spec.read_text() + f"learn: {{protected: [{names}]}}\n")
    return Workspace(company.root, now=company.now)


def test_evaluate_compares_groups_at_the_line(company: Workspace) -> None:
    workspace = protect(company, "colour, shoe")
    found = {item.attribute: item for item in workspace.evaluate("house", until=UNTIL, line="B").fairness}
    assert set(found) == {"colour", "shoe"}
    assert found["colour"].line == "grade B or better"
    assert len(found["shoe"].groups) <= 6  # a number is cut into bands
    for group in found["colour"].groups:
        assert group.chosen.n > 0
        assert group.chosen_of_won.n + group.chosen_of_lost.n == group.chosen.n
        assert group.chosen_of_won.won + group.chosen_of_lost.won == group.chosen.won
    assert found["colour"].groups[0].gap is None
    assert all(abs(group.gap) < 0.3 for group in found["colour"].groups[1:])  # colour is drawn by itself
    fifth = workspace.evaluate("house", until=UNTIL).fairness[0]
    chosen = sum(group.chosen.won for group in fifth.groups) / sum(group.chosen.n for group in fifth.groups)
    assert fifth.line == f"the {chosen:.0%} ranked first"  # whole points: not exactly a fifth


def test_leads_of_one_score_are_chosen_together_and_counted() -> None:
    few = np.repeat([30.0, 10.0, 0.0], [3, 20, 77])
    line = first_of(few)
    assert (line.chosen.sum(), line.said) == (23, "the 23% ranked first")
    # With four fifths at the lowest score, a fifth is not everybody.
    line = first_of(np.repeat([10.0, 0.0], [4, 96]))
    assert (line.chosen.sum(), line.said) == (4, "the 4% ranked first")


def test_a_card_that_rests_on_the_group_falls_short(company: Workspace) -> None:
    card = company.root / "scorecards" / "house.yaml"
    card.write_text(
        "groups: {fit: {criteria: [{name: Colour, feature: colour, points: {red: 30, green: 0, blue: 0}}]}}\n"
        "grades: {score: {A: 20, B: null}}\n"
    )
    found = protect(company, "colour").evaluate("house", until=UNTIL, line="A").fairness[0]
    assert found.groups[0].name == "red"
    assert [group.falls_short for group in found.groups] == [False, True, True]
    assert found.groups[1].gap < -1
    assert "less than four fifths" in str(found)
