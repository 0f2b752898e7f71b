from __future__ import annotations

from datetime import datetime

from tests.learn.company import HOUSE

from leadlight.workspace import Workspace

WRONG = HOUSE.replace("referral: 20, ads: -10", "referral: -10, ads: 20")


def test_outcomes_turn_a_wrong_card_round(company: Workspace) -> None:
    path = company.root / "scorecards" / "house.yaml"
    path.write_text(WRONG)
    wrong = Workspace(company.root, now=company.now)
    found = wrong.adjust("house")
    changed = {(change.criterion, change.level): change for change in found.proposal.changes}
    assert changed["Source", "referral"].after > changed["Source", "ads"].after
    assert found.placed is not None
    assert not found.placed.published
    assert path.read_text() == WRONG, "the card in use is left alone"
    wrong.publish("house")
    after = wrong.evaluate("house").metrics.auc
    assert after is not None
    assert after.value > 0.65
    wrong.revert("house")
    assert path.read_text() == WRONG


def test_without_a_win_nothing_moves(company: Workspace) -> None:
    found = company.adjust("house", as_of=datetime(2025, 1, 3))
    assert found.proposal.changes == ()
    assert found.placed is None
    assert "nothing should change" in str(found)


def test_a_hand_written_card_gets_probabilities(company: Workspace) -> None:
    found = company.adjust("house")
    assert found.placed is not None
    company.publish("house")
    first = company.rank("house", limit=1).rows[0].ledger
    assert first.probability is not None
    assert first.interval is not None
    assert first.interval[0] < first.probability < first.interval[1]
