from __future__ import annotations

from pathlib import Path

import pytest
from tests.scorecards.shop import HOUSE, open_shop

from leadlight.workspace import Workspace


def test_the_first_run_is_silent_and_publishes(shop: Workspace) -> None:
    (run,) = shop.score()
    assert (run.scored, run.silent, run.published, run.up, run.down) == (4, True, True, 0, 0)
    assert {grade: n for grade, n in run.grades.items() if n} == {"A1": 1, "A3": 1, "C3": 2}


def test_moves_of_grade_are_counted_and_kept(shop: Workspace) -> None:
    shop.score(as_of="2026-02-10")
    (run,) = shop.score(as_of="2026-03-01")
    assert (run.silent, run.published, run.up, run.down) == (False, False, 1, 0)
    scores = shop.history("ann").scores
    assert [(item.grade, item.change) for item in scores] == [("A2", None), ("A1", "up")]


def test_a_back_fill_is_silent(shop: Workspace) -> None:
    shop.score(as_of="2026-03-01")
    (run,) = shop.score(as_of="2026-02-10")
    assert run.silent


def test_an_edited_scorecard_is_published_silently(shop: Workspace, tmp_path: Path) -> None:
    shop.score(as_of="2026-02-01")
    edited = open_shop(tmp_path, house=HOUSE.replace("points: 10, first: 1", "points: 1, first: 1"))
    (run,) = edited.score(as_of="2026-03-01")
    assert (run.published, run.silent) == (True, True)
    (again,) = edited.score(as_of="2026-03-02")
    assert (again.published, again.silent) == (False, False)


def test_stored_scores_can_be_computed_again(shop: Workspace) -> None:
    shop.score(as_of="2026-02-21")
    stored = shop.history("ann").scores[0]
    assert shop.explain("ann", as_of=stored.as_of).score == pytest.approx(stored.score, abs=1e-9)
    assert stored.version == shop.check().scorecards["house"]


def test_a_grade_is_held_by_margin_and_dwell(shop: Workspace) -> None:
    # Ann's engagement is 17.5 on 21 Feb; it falls below 12 + 10 demo … follow the decay of 'Looks at pricing' alone.
    first = shop.explain("ann", as_of="2026-02-21")
    assert first.grade == "A1"
    shop.score(as_of="2026-02-21")
    later = shop.explain("ann", as_of="2026-04-20")  # 10 + 8 * (2^-6 + 2^-7) = 10.19: under 12, above 12 - 2
    assert 10 <= later.totals["engagement"] < 12
    assert later.grade == "A1"
