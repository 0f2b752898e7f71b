from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from tests.learn.company import UNTIL

from leadlight.errors import UsageError
from leadlight.learn.replay import LEARNED, _outcomes
from leadlight.workspace import Workspace


@pytest.mark.slow
def test_the_past_replayed(company: Workspace) -> None:
    found = company.backtest("house", top=5, since="2026-02-01", relearn=timedelta(days=60))
    test = found.backtest
    assert [item.name for item in test.strategies] == [LEARNED, "house", "random order", "hindsight"]
    assert len(test.moments) == (UNTIL - timedelta(days=30) - datetime(2026, 2, 1)).days // 7 + 1
    assert found.learned_at[0] == datetime(2026, 2, 1)
    assert len(found.learned_at) == 2
    deals = {item.name: item.deals.sum() for item in test.strategies}
    assert deals["hindsight"] >= max(deals.values())
    assert min(deals[LEARNED], deals["house"]) > deals["random order"]


def test_a_scorecard_that_has_learned_from_the_past_replayed_is_no_fair_rival(company: Workspace) -> None:
    cards = company.root / "scorecards"
    mine = (cards / "house.yaml").read_text() + "learned: {to: '2026-05-01'}\n"
    (cards / "mine.yaml").write_text(mine)
    workspace = Workspace(company.root, now=lambda: UNTIL)
    [note] = workspace.backtest("mine", top=5, since="2026-04-30").notes
    assert note.startswith("mine: It was learned from this period")


def test_outcomes_are_those_of_the_files(company: Workspace) -> None:
    with company.store() as engine:
        found = _outcomes(engine, company._ready(engine), UNTIL)
        known = dict(engine.rows("SELECT lead, outcome FROM outcomes"))
    assert found.won.sum() == sum(outcome == "won" for outcome in known.values())
    assert (~np.isnan(found.closed)).sum() == len(known)
    assert (found.closed[found.won] > found.created[found.won]).all()


def test_nothing_to_replay_is_said(company: Workspace) -> None:
    with pytest.raises(UsageError, match="no step fits"):
        company.backtest("house", top=5, since="2026-05-20")
    with pytest.raises(UsageError, match="steps go forward"):
        company.backtest("house", top=5, since="2026-01-01", every=timedelta(0))
