from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.errors import NotFoundError, UsageError
from leadlight.learn.line import Wish
from leadlight.workspace import Workspace


def test_each_lead_counts_once_where_its_score_was_highest(company: Workspace) -> None:
    found = company.threshold(Wish(per_day=1), "house")
    assert found.leads == 1401
    choice = found.threshold.choices[0]
    assert choice.per_day is not None
    assert choice.per_day <= 1
    everybody = found.threshold.alternatives[-1]
    assert (everybody.called, everybody.wins) == (found.leads, found.wins)
    assert everybody.worth is not None
    assert everybody.worth > 0


def test_a_dear_call_takes_a_higher_line(company: Workspace) -> None:
    cheap, dear = (company.threshold(Wish(cost=cost), "house").threshold.choices[0] for cost in (1, 200))
    assert cheap.cut is not None
    assert dear.cut is not None
    assert cheap.cut < dear.cut


def test_a_line_for_each_group(company: Workspace) -> None:
    found = company.threshold(Wish(per_day={"referral": 0.2, "(none)": 0.1}, by="source"), "house")
    assert [choice.group for choice in found.threshold.choices] == ["referral", "(none)"]
    assert all(choice.per_day is not None and choice.per_day <= 0.2 for choice in found.threshold.choices)


def test_one_capacity_is_that_of_each_group(company: Workspace) -> None:
    each = company.threshold(Wish(per_day=0.2, by="source"), "house").threshold
    assert each.asked == "0.2 a day each"
    named = company.threshold(Wish(per_day=dict.fromkeys(["ads", "referral"], 0.2), by="source"), "house").threshold
    assert {choice.group for choice in each.choices} == {"(none)", "ads", "fair", "organic", "referral"}
    assert [choice for choice in each.choices if choice.group in ("ads", "referral")] == list(named.choices)


def test_wishes_that_are_none(company: Workspace) -> None:
    with pytest.raises(UsageError, match="each group has a line of its own for what it can do"):
        Wish(cost=2, by="source")
    with pytest.raises(UsageError, match="held against what a call costs"):
        Wish(per_day=2, gain=50)
    with pytest.raises(UsageError, match="no number to reckon with"):
        Wish(cost=float("inf"))
    with pytest.raises(UsageError, match="0 is no number above 0"):
        Wish(per_day={"ads": 0}, by="source")
    with pytest.raises(UsageError, match="follows from one thing"):
        Wish(per_day=3, cost=2)
    with pytest.raises(UsageError, match="need to know which"):
        Wish(per_day={"north": 2})
    with pytest.raises(NotFoundError, match="did you mean 'source'"):
        company.threshold(Wish(per_day={"ads": 1}, by="sourc"), "house")
    with pytest.raises(UsageError, match="nobody belongs to 'adds'"):
        company.threshold(Wish(per_day={"adds": 1}, by="source"), "house")
    with pytest.raises(NotFoundError, match="settled by then"):
        company.threshold(Wish(per_day=1), "house", since="2026-05-25")


def test_without_dates_nobody_knows_how_many_come_in_a_day(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("id,size,bought\n" + "".join(f"{n},{n},{n % 3 // 2}\n" for n in range(60)))
    (tmp_path / "leadlight.yaml").write_text(
        "sources: {leads: {csv: leads.csv, id: id, outcome: bought}}\noutcome: {win: bought = 1, horizon: 30d}\n"
    )
    (tmp_path / "scorecards").mkdir()
    (tmp_path / "scorecards" / "house.yaml").write_text(
        "groups: {fit: {criteria: [{name: Size, feature: size, bands: [[null, 30, 1], [30, null, 2]]}]}}\n"
    )
    workspace = Workspace(tmp_path)
    workspace.ingest()
    with pytest.raises(UsageError, match="no dates") as caught:
        workspace.threshold(Wish(per_day=3), "house")
    assert "--precision" in str(caught.value.fix)
    assert workspace.threshold(Wish(precision=0.3), "house").threshold.met


def test_where_wins_repeat_each_moment_of_a_grid_is_a_chance_of_its_own(company: Workspace) -> None:
    path = company.root / "leadlight.yaml"
    spec = path.read_text().replace("horizon: 30d", "horizon: 30d, repeats: true").replace("exclude:", "#")
    path.write_text(spec + "learn: {every: 30d}\n")
    again = Workspace(company.root, now=company.now)
    found, rows = again.threshold(Wish(per_day=2.0), "house"), again.evaluate("house").metrics
    assert (found.leads, found.wins) == (rows.n, rows.wins)
    assert found.leads > rows.leads
    assert found.days is not None
    assert found.days % 30 == 0
    choice = found.threshold.choices[0]
    assert choice.per_day == pytest.approx(choice.called / found.days)
    assert choice.per_day <= 2.0
