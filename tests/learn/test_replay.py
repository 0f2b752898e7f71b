from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from tests.learn.company import HOUSE, UNTIL

from leadlight.errors import UsageError
from leadlight.learn.replay import EPOCH, LEARNED, _outcomes, _rank
from leadlight.workspace import Workspace


@pytest.mark.slow
def test_the_past_replayed(company: Workspace) -> None:
    found = company.backtest("house", top=5, since="2026-02-01", relearn=timedelta(days=60))
    test = found.backtest
    assert [item.name for item in test.strategies] == [LEARNED, "house", "random order", "hindsight"]
    assert len(test.moments) == (UNTIL - timedelta(days=30) - datetime(2026, 2, 1)).days // 7 + 1
    assert found.learned_at[0] == datetime(2026, 2, 1)
    assert len(found.learned_at) == 2
    assert found.notes == ("leads gives current values only: they are taken as known since each lead's creation",)
    deals = {item.name: item.deals.sum() for item in test.strategies}
    assert deals["hindsight"] >= max(deals.values())
    assert min(deals[LEARNED], deals["house"]) > deals["random order"]


def test_a_scorecard_that_has_learned_from_the_past_replayed_is_no_fair_rival(company: Workspace) -> None:
    cards = company.root / "scorecards"
    mine = (cards / "house.yaml").read_text() + "learned: {to: '2026-05-01'}\n"
    (cards / "mine.yaml").write_text(mine)
    workspace = Workspace(company.root, now=lambda: UNTIL)
    first, *_ = workspace.backtest("mine", top=5, since="2026-04-30").notes
    assert first.startswith("mine was learned from this period")


def test_outcomes_are_those_of_the_files(company: Workspace) -> None:
    with company.store() as engine:
        found = _outcomes(engine, company._ready(engine), UNTIL)
        known = dict(engine.rows("SELECT lead, outcome FROM outcomes"))
    assert found.won.sum() == sum(outcome == "won" for outcome in known.values())
    assert (~np.isnan(found.closed)).sum() == len(known)
    assert (found.closed[found.won] > found.created[found.won]).all()


def test_who_was_lost_first_is_closed_then_and_undated_outcomes_tell_no_moment(company: Workspace) -> None:
    with (company.root / "deals.csv").open("a") as file:
        file.write("L00000,2025-03-01T00:00:00,lost,\nL00000,2025-05-01T00:00:00,won,70\nL00001,,won,90\n")
    company.ingest()
    with company.store() as engine:
        found = _outcomes(engine, company._ready(engine), UNTIL)
        leads = dict(engine.rows("SELECT id, lead FROM leads"))
    first, second = (np.flatnonzero(found.lead == leads[name])[0] for name in ("L00000", "L00001"))
    assert found.won[first]
    assert found.closed[first] <= (datetime(2025, 3, 1) - EPOCH) / timedelta(days=1)
    assert found.wins_at[first] > found.closed[first]
    assert found.closed[second] == -np.inf


def test_the_scorecard_in_use_ranks_as_rank_does(company: Workspace) -> None:
    gate = "gates: [{name: Red, when: \"colour = 'red'\", grade: C}]\n"
    (company.root / "scorecards" / "gated.yaml").write_text(HOUSE + gate)
    again = Workspace(company.root, now=company.now)
    with again.store() as engine:
        workspace = again._ready(engine)
        lead, place = _rank(engine, workspace, again._card(workspace, "gated"), UNTIL)
        names = dict(engine.rows("SELECT lead, id FROM leads"))
    ranked = [names[row] for row in lead[np.lexsort((lead, -place))]]
    found = [row.ledger.id for row in again.rank("gated", as_of=UNTIL, limit=len(ranked)).rows]
    assert found == ranked


def test_nothing_to_replay_is_said(company: Workspace) -> None:
    (company.root / "scorecards" / "accounts.yaml").write_text(
        "of: account\ngroups: {all: {criteria: [{name: Visits, event: visit, points: 2}]}}\n"
    )
    with pytest.raises(UsageError, match="those of leads"):
        Workspace(company.root, now=company.now).backtest("accounts", top=5, since="2026-01-01")
    with pytest.raises(UsageError, match="no step fits"):
        company.backtest("house", top=5, since="2026-05-20")
    with pytest.raises(UsageError, match="no step fits: 20 days"):  # 20 days before the end, not before today
        company.backtest("house", top=5, since="20d", until="2025-12-01")
    with pytest.raises(UsageError, match="steps go forward"):
        company.backtest("house", top=5, since="2026-01-01", every=timedelta(0))
