from __future__ import annotations

from pathlib import Path

import pytest
from tests.scorecards.shop import HOUSE, open_shop

from leadlight.errors import NotFoundError
from leadlight.workspace import Workspace


def test_never_used(shop: Workspace) -> None:
    with pytest.raises(NotFoundError, match="house was never used"):
        shop.diff()


def test_who_moves_and_by_what(shop: Workspace, tmp_path: Path) -> None:
    shop.score()
    edited = open_shop(tmp_path, house=HOUSE.replace("manager: 5", "manager: -8"))
    difference = edited.diff()
    assert (difference.total, difference.moved, difference.changes_grade) == (4, 1, 1)
    assert difference.transitions == {("A3", "C3"): 1}
    (moved,) = difference.most_moved
    assert (moved.id, moved.before, moved.after) == ("bob", 12.5, -0.5)
    assert moved.items == {"Seniority": pytest.approx(-13)}
    assert difference.grades["A3"] == (1, 0)


def test_against_a_file(shop: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(HOUSE.replace("base: 1", "base: 11"))
    difference = shop.diff(against=other)
    assert difference.mean_before - difference.mean_after == pytest.approx(10)


def test_hindsight_counts_wins_after_the_moment(shop: Workspace) -> None:
    shop.score()
    before, after = shop.diff().hindsight
    assert before == after
    # On 30 Jan Ann, Bob and (excluded) Eve existed; Bob was lost on 28 Feb, nobody of them won.
    assert before is not None
    assert (before.open, before.won, before.auc) == (2, 0, None)
