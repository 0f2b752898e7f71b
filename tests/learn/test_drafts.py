from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.errors import NotFoundError, SpecError, UsageError
from leadlight.learn.drafts import draft, drafts, publish, publish_draft, revert, what_stands_against
from leadlight.spec.models import ScorecardSpec

GOOD = "groups: {fit: {criteria: []}}\n"
BAD = "groups: {fit: {}}\nlearned: {evaluation: {publishable: false, against: [it ranks no better than a coin]}}\n"


def test_a_draft_is_not_where_scores_come_from(tmp_path: Path) -> None:
    placed = draft(tmp_path, "learned", GOOD)
    assert placed.path == tmp_path / "drafts" / "learned.yaml"
    assert not placed.published
    assert not (tmp_path / "scorecards").exists()
    assert "is a draft" in str(placed)


def test_publishing_keeps_what_it_replaces_and_reverting_swaps_them(tmp_path: Path) -> None:
    publish(tmp_path, "learned", "base: 1\n" + GOOD)
    placed = publish(tmp_path, "learned", "base: 2\n" + GOOD)
    assert placed.kept is not None
    assert placed.kept.read_text().startswith("base: 1")
    assert revert(tmp_path, "learned").path.read_text().startswith("base: 1")
    assert revert(tmp_path, "learned").path.read_text().startswith("base: 2")


def test_publishing_the_same_again_forgets_nothing(tmp_path: Path) -> None:
    publish(tmp_path, "learned", "base: 1\n" + GOOD)
    publish(tmp_path, "learned", "base: 2\n" + GOOD)
    draft(tmp_path, "learned", "base: 3\n" + GOOD)
    assert publish(tmp_path, "learned", "base: 2\n" + GOOD).kept is None
    assert drafts(tmp_path) == {}, "what was learned before it would be published in its place"
    assert revert(tmp_path, "learned").path.read_text().startswith("base: 1")


def test_the_gate_holds_back_what_is_not_better_until_forced(tmp_path: Path) -> None:
    draft(tmp_path, "learned", BAD)
    with pytest.raises(UsageError, match="did not pass the gate: it ranks no better than a coin") as caught:
        publish_draft(tmp_path, "learned")
    assert caught.value.fix is not None
    assert "--force" in caught.value.fix
    placed = publish_draft(tmp_path, "learned", force=True)
    assert placed.published
    assert not (tmp_path / "drafts" / "learned.yaml").exists()


def test_a_draft_with_faults_is_not_published(tmp_path: Path) -> None:
    draft(tmp_path, "learned", "groups: {fit: {criteria: 5}}\n")
    with pytest.raises(SpecError):
        publish_draft(tmp_path, "learned", force=True)
    assert not (tmp_path / "scorecards").exists()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    draft(tmp_path, "learned", GOOD)
    with pytest.raises(NotFoundError, match="did you mean 'learned'"):
        publish_draft(tmp_path, "lerned")
    with pytest.raises(NotFoundError, match="replaced nothing"):
        revert(tmp_path, "learned")


def test_nothing_stands_against_a_hand_written_card() -> None:
    assert what_stands_against(ScorecardSpec.model_validate({"groups": {"fit": {}}})) == []
