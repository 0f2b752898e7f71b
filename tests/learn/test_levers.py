from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from leadlight.errors import UsageError
from leadlight.learn.levers import Floats, Pulls, gather, levers, with_points
from leadlight.learn.training import Rows, past_rows
from leadlight.scorecards.scores_at import ScoresAt, scores_at
from leadlight.spec import models
from leadlight.spec.resolve import resolve_scorecard
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.stored import content, document
from leadlight.workspace import Workspace

SPEC = """
sources:
  leads: {csv: leads.csv, id: id, created_at: created}
  events: {csv: events.csv, lead: lead, type: what, at: at}
  deals: {csv: deals.csv, lead: lead, at: closed, outcome: stage}
outcome: {win: "stage = 'won'", horizon: 30d}
features:
  big: {expr: "size > 10"}
"""
CARD = """
base: 3
groups:
  fit:
    cap: [-8, 9]
    criteria:
      - {name: Tier, feature: tier, points: {gold: 8, silver: 2.5}, missing: -3, other: 1}
      - {name: Size, feature: size, bands: [[null, 5, -4], [5, 20, 0], [30, null, 6]], missing: 1, other: 2}
      - {name: Big, feature: big, points: {true: 3, false: -1}}
  mixed:
    criteria:
      - name: Tier by size
        features: [tier, size]
        bands: {size: [5, 20]}
        table: {gold: [1, 2, 3], other: [4, 5, 6]}
        missing: 0.5
      - name: Size by tier
        features: [size, tier]
        bands: {size: [12]}
        table: [{gold: -1, silver: -2}, {gold: 7}]
        other: 9
      - {name: Long since, when: "size >= 8 and tier = 'silver'", points: 2}
  acts:
    cap: [null, 30]
    criteria:
      - {name: Visits, event: visit, points: 2, half_life: 10d, max: 5}
      - {name: Leaves, event: leave, points: -4}
      - {name: Worthless, event: visit, points: 0}
"""
UNTIL = datetime(2026, 6, 1)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A small company whose leads meet every number of the card."""
    folder = tmp_path_factory.mktemp("company")
    dice = np.random.default_rng(1)
    start = datetime(2026, 1, 1)
    lines = {"leads": ["id,created,tier,size"], "events": ["lead,what,at"], "deals": ["lead,closed,stage"]}
    for number in range(120):
        created = start + timedelta(days=int(dice.integers(0, 60)))
        tier, size = dice.choice(["gold", "silver", "tin", ""]), dice.choice(["1", "7", "14", "25", "40", ""])
        lines["leads"].append(f"l{number},{created},{tier},{size}")
        for _ in range(int(dice.integers(0, 5))):
            at = created + timedelta(days=float(dice.uniform(0, 40)))
            lines["events"].append(f"l{number},{dice.choice(['visit', 'leave'])},{at:%Y-%m-%d %H:%M}")
        if dice.random() < 0.4:
            lines["deals"].append(f"l{number},{created + timedelta(days=float(dice.uniform(5, 60)))},won")
    for name, rows in lines.items():
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")
    (folder / "leadlight.yaml").write_text(SPEC)
    (folder / "scorecards").mkdir()
    (folder / "scorecards" / "house.yaml").write_text(CARD)
    workspace = Workspace(folder, now=lambda: UNTIL)
    workspace.ingest()
    return workspace


def gathered(company: Workspace) -> tuple[ResolvedWorkspace, ResolvedScorecard, Rows, Pulls, ScoresAt]:
    with company.store() as engine:
        resolved = company._ready(engine)
        card = resolved.scorecards["house"]
        rows = past_rows(engine, resolved, UNTIL)
        pulled, scored = gather(engine, resolved, card, rows.lead, rows.as_of)
        assert scored.all()
        return (
            resolved,
            card,
            rows,
            pulled,
            scores_at(engine, resolved, card, rows.lead, rows.as_of, contributions=True),
        )


def dense(pulled: Pulls) -> Floats:
    found = np.zeros((pulled.rows, len(pulled.levers)))
    np.add.at(found, (pulled.row, pulled.lever), pulled.amount)
    return found


def test_levers_are_the_numbers_of_the_file(company: Workspace) -> None:
    _, card, _, pulled, _ = gathered(company)
    assert levers(card) == pulled.levers
    told = {(lever.name, lever.level): lever.points for lever in pulled.levers}
    assert told[("Tier", "gold")] == 8
    assert told[("Size", "from 30")] == 6
    assert told[("Size", "below 5")] == -4
    assert told[("Size", "other")] == 2
    assert told[("Big", "false")] == -1
    assert told[("Tier by size", "gold × 5 to 20")] == 2
    assert told[("Tier by size", "other × from 20")] == 6
    assert told[("Size by tier", "below 12 × silver")] == -2
    assert told[("Leaves", "each event")] == -4
    assert told[("Long since", "true")] == 2
    assert not any(lever.name == "Worthless" for lever in pulled.levers)


def test_amounts_times_points_are_the_contributions(company: Workspace) -> None:
    """Held against the statement that scores, for every criterion of every row."""
    _, card, rows, pulled, scored = gathered(company)
    assert pulled.rows == len(rows.lead) > 150
    given = dense(pulled) * np.array([lever.points for lever in pulled.levers])
    for number in range(len(card.criteria)):
        mine = [lever.criterion == number for lever in pulled.levers]
        assert given[:, mine].sum(axis=1) == pytest.approx(scored.contributions[:, number], abs=1e-9)
    assert ((dense(pulled) != 0).sum(axis=0) > 0).sum() > 25


def test_rows_are_taken_in_the_order_asked(company: Workspace) -> None:
    pulled = gathered(company)[3]
    rows = np.array([7, 3, 50])
    assert (dense(pulled.take(rows)) == dense(pulled)[rows]).all()


def test_other_points_give_what_they_say(company: Workspace) -> None:
    """New points are written, read back and run: amounts x new points are what they give."""
    resolved, card, rows, pulled, _ = gathered(company)
    dice = np.random.default_rng(2)
    points = np.array([lever.points for lever in pulled.levers]) + dice.integers(1, 9, len(pulled.levers)) / 2 + 0.25
    again, faults = resolve_scorecard(document("new", content(with_points(card, points))), resolved)
    assert again is not None, faults
    assert [lever.points for lever in levers(again)] == points.tolist()
    with company.store() as engine:
        scored = scores_at(engine, resolved, again, rows.lead, rows.as_of, contributions=True)
    given = dense(pulled) * points
    for number in range(len(card.criteria)):
        mine = [lever.criterion == number for lever in pulled.levers]
        assert given[:, mine].sum(axis=1) == pytest.approx(scored.contributions[:, number], abs=1e-4)


def test_the_same_points_give_the_same_card(company: Workspace) -> None:
    card = gathered(company)[1]
    assert with_points(card, np.array([lever.points for lever in levers(card)])) == card.spec


def test_the_largest_size_of_an_event_follows_its_points(company: Workspace) -> None:
    card = gathered(company)[1]
    points = np.array([6.0 if lever.name == "Visits" else lever.points for lever in levers(card)])
    visits = with_points(card, points).groups["acts"].criteria[0]
    assert isinstance(visits, models.EventCriterion)
    assert (visits.points, visits.max) == (6, 15)


def test_accounts_are_refused(company: Workspace) -> None:
    with company.store() as engine:
        resolved = company._ready(engine)
        card = resolved.scorecards["house"]
        of_accounts = ResolvedScorecard("firms", card.spec.model_copy(update={"of": "account"}), "v", card.criteria)
        with pytest.raises(UsageError, match="firms scores accounts"):
            gather(engine, resolved, of_accounts, np.array([1]), pa.array([UNTIL]))
