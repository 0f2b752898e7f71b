from __future__ import annotations

from pathlib import Path

import pytest
from tests.scorecards import stories
from tests.scorecards.shop import HOUSE, open_shop

from leadlight.errors import NotFoundError
from leadlight.workspace import Workspace

ACCOUNTS = """
of: account
groups: {g: {criteria: [{name: Visits, event: page_view, points: 1}]}}
"""


def test_every_score_with_what_became_of_the_grade(graded: Workspace) -> None:
    found = graded.history("slow", "axes")
    version = graded.check().scorecards["axes"]
    assert [(score.score, score.grade, score.change) for score in found.scores] == [
        (20, "A2", None), (9.5, "A2", None), (18, "A1", "up"), (16.9, "B1", "down"), (17, "A2", "up"),
        (11, "C2", "down"), (7, "C2", None),
    ]  # fmt: skip
    assert [score.as_of for score in found.scores] == [stories.day(number) for number in range(1, 8)]
    assert {score.version for score in found.scores} == {version}


def test_a_gate_is_told(graded: Workspace) -> None:
    scores = graded.history("slow", "gated").scores
    assert [score.gate for score in scores[:3]] == [None, "Odd", None]
    assert [score.change for score in scores[:3]] == [None, "down", "up"]


def test_as_text_and_as_json(graded: Workspace) -> None:
    found = graded.history("jump", "plain")
    version = graded.check().scorecards["plain"]
    assert str(found).splitlines()[:4] == [
        "jump by plain: 7 scores",
        f"  2026-01-01 12:00       0.0  C  ({version})",
        f"  2026-01-02 12:00      20.0  A ↑  ({version})",
        f"  2026-01-03 12:00       0.0  C ↓  ({version})",
    ]
    document = found.as_dict()
    assert (document["id"], document["scorecard"], len(document["scores"])) == ("jump", "plain", 7)
    assert document["scores"][1] == {
        "as_of": "2026-01-02T12:00:00Z", "score": 20.0, "grade": "A", "gate": None, "version": version, "change": "up",
    }  # fmt: skip


def test_of_two_runs_as_of_one_moment_the_later_counts(shop: Workspace, tmp_path: Path) -> None:
    shop.score(as_of="2026-02-10")
    edited = open_shop(tmp_path, house=HOUSE.replace("base: 1", "base: 100"))
    edited.score(as_of="2026-02-10")
    (only,) = edited.history("bob").scores
    assert only.score == edited.explain("bob", as_of="2026-02-10").score
    assert only.version == edited.check().scorecards["house"] != shop.check().scorecards["house"]


def test_an_account_has_a_history_too_here_without_grades(shop: Workspace, tmp_path: Path) -> None:
    (tmp_path / "scorecards" / "firms.yaml").write_text(ACCOUNTS)
    shop = Workspace(tmp_path, now=shop.now)
    assert shop.history("Acme", "firms").scores == ()
    for moment in ("2026-02-10", "2026-02-28"):
        shop.score("firms", as_of=moment)
    assert [(score.score, score.grade, score.change) for score in shop.history("Acme", "firms").scores] == [
        (2, None, None), (4, None, None),
    ]  # fmt: skip
    with pytest.raises(NotFoundError, match="there is no account 'Acne'; the nearest are 'Acme'"):
        shop.history("Acne", "firms")


def test_as_of_a_moment_later_scores_are_not_known_yet(graded: Workspace) -> None:
    every = graded.history("slow", "axes").scores
    assert graded.history("slow", "axes", as_of=stories.day(3)).scores == every[:3]
    assert graded.history("slow", "axes", as_of="2026-01-01").scores == ()
