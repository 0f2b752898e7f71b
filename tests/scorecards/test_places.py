"""Ranks within groups, deadlines and what can still be in time, on the shop and against plain loops."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.scorecards.shop import WORKSPACE, open_shop

from leadlight.errors import NotFoundError, SpecError, UsageError
from leadlight.workspace import Workspace

DEADLINE = "\ndeadline: {after: created_at, by: seniority, plus: {vp: 60d, manager: 45d}, other: 10d}\n"


@pytest.fixture
def dated(tmp_path: Path) -> Workspace:
    """The shop with a deadline: ann and eve 60 days after they came, bob 45, di 10, cy 60."""
    workspace = open_shop(tmp_path, workspace=WORKSPACE + DEADLINE)
    workspace.ingest()
    return workspace


def test_within_groups_the_order_is_that_of_the_whole(shop: Workspace) -> None:
    whole = shop.rank()
    expected = defaultdict(list)
    for row in whole.rows:
        expected[{"ann": "Acme", "bob": "Acme", "cy": "Rival", "di": "(none)"}[row.ledger.id]].append(row.ledger.id)
    found = shop.rank(per="account")
    assert [(group.name, group.count, group.best) for group in found.groups] == [
        ("Acme", 2, 1), ("(none)", 1, 3), ("Rival", 1, 4),
    ]  # fmt: skip
    for group in found.groups:
        rows = [row for row in found.rows if row.group == group.name]
        assert [row.ledger.id for row in rows] == expected[group.name]
        assert [row.rank_in_group for row in rows] == list(range(1, len(rows) + 1))
    document = found.as_dict()
    assert (document["per"], document["members"][0]) == ("account", {"name": "Acme", "count": 2, "best": 1})
    assert (document["rows"][1]["group"], document["rows"][1]["rank_in_group"]) == ("Acme", 2)
    assert "account Acme: 2 leads" in str(found)


def test_a_limit_is_for_each_group(shop: Workspace) -> None:
    assert [row.ledger.id for row in shop.rank(per="account", limit=1).rows] == ["ann", "di", "cy"]
    assert [row.ledger.id for row in shop.rank(per="account", grade="C3").rows] == ["di", "cy"]


def test_groups_by_a_number_read_as_people_write_it(shop: Workspace) -> None:
    assert {group.name for group in shop.rank(per="employees").groups} == {"500", "5", "50"}


def test_groups_by_what_is_none(shop: Workspace) -> None:
    with pytest.raises(NotFoundError, match="no attribute or feature 'senority': did you mean 'seniority'"):
        shop.rank(per="senority")


def test_exported_ranks_within_groups(shop: Workspace, tmp_path: Path) -> None:
    shop.export(str(tmp_path / "ranking.csv"), per="account")
    with (tmp_path / "ranking.csv").open() as file:
        rows = [(row["rank"], row["group"], row["rank_in_group"], row["id"]) for row in csv.DictReader(file)]
    assert rows == [
        ("1", "Acme", "1", "ann"), ("2", "Acme", "2", "bob"), ("3", "(none)", "1", "di"), ("4", "Rival", "1", "cy"),
    ]  # fmt: skip


def test_time_left_beside_each(dated: Workspace) -> None:
    rows = {row.ledger.id: row for row in dated.rank().rows}
    assert rows["ann"].deadline == datetime(2026, 3, 2)
    assert {name: row.due for name, row in rows.items()} == {
        "ann": "due in 1 day", "bob": "5 days overdue", "cy": "due in 32 days", "di": "due in 1 day",
    }  # fmt: skip
    assert dated.rank().as_dict()["rows"][0]["days_left"] == 1.0


def test_the_earliest_due_first(dated: Workspace) -> None:
    found = dated.rank(order="deadline")
    assert [row.ledger.id for row in found.rows] == ["bob", "ann", "di", "cy"]  # cy is gated, and so last
    assert found.as_dict()["order"] == "deadline"


def test_what_can_still_be_in_time(dated: Workspace) -> None:
    one = dated.rank(order="rescue", per_day=1)
    assert [(row.ledger.id, row.in_time) for row in one.rows] == [
        ("ann", True), ("bob", False), ("di", False), ("cy", False),
    ]  # fmt: skip
    assert one.notes[-1].startswith("at 1 a day 1 lead can be done in time")
    assert "late all the same: 1, overdue already: 1" in one.notes[-1]
    two = dated.rank(order="rescue", per_day=2)
    assert [row.ledger.id for row in two.rows if row.in_time] == ["ann", "di"]


def test_an_effort_of_its_own(dated: Workspace) -> None:
    found = dated.rank(order="rescue", per_day=100, effort="employees")
    assert [row.ledger.id for row in found.rows if row.in_time] == ["di"]  # ann alone would take five days
    with pytest.raises(UsageError, match="seniority is text, not a number"):
        dated.rank(order="rescue", per_day=1, effort="seniority")


def test_orders_that_make_no_sense(shop: Workspace) -> None:
    with pytest.raises(UsageError, match="no deadline to rank leads by"):
        shop.rank(order="deadline")
    with pytest.raises(UsageError, match="how much can be done a day"):
        shop.rank(order="rescue")
    with pytest.raises(UsageError, match="no order 'soon'"):
        shop.rank(order="soon")  # type: ignore[arg-type]


def test_days_left_in_a_scorecard(tmp_path: Path) -> None:
    house = (
        "groups: {time: {criteria: [{name: Time, feature: days_left, bands: [[null, 0, 9], [0, 2, 5], [2, null, 0]]}]}}"
    )
    workspace = open_shop(tmp_path, workspace=WORKSPACE + DEADLINE, house=house)
    workspace.ingest()
    ledger = workspace.explain("bob")
    assert (ledger.score, ledger.reasons()) == (9.0, ["Time: 5 days overdue: +9"])
    assert workspace.explain("ann").reasons() == ["Time: due in 1 day: +5"]
    earlier = workspace.explain("bob", as_of=datetime(2026, 2, 24) - timedelta(days=1))
    assert earlier.score == 5.0
    tried = workspace.try_lead({"created_at": "2026-02-20", "seniority": "manager"})
    assert tried.score == 0.0


@pytest.mark.parametrize(
    ("deadline", "message"),
    [
        ("deadline: due", "leadlight.yaml:12:11: deadline: there is no attribute or feature 'due'"),
        ("deadline: employees", "a deadline needs a time, such as created_at; employees is a number"),
        ("deadline: {after: created_at}", "the key 'plus' is missing"),
        ("deadline: {after: created_at, plus: {vp: 3d}}", "they come together"),
        ("deadline: {after: created_at, plus: soon}", "'soon' is not a duration"),
        ("deadline: {after: created_at, by: employees, plus: {vp: 3d}}", "employees is a number: a key must be"),
    ],
)
def test_deadlines_that_are_none(tmp_path: Path, deadline: str, message: str) -> None:
    open_shop(tmp_path).ingest()
    with pytest.raises(SpecError, match=message):
        open_shop(tmp_path, workspace=WORKSPACE + deadline).rank()


def test_a_group_of_the_scorecard_may_be_called_deadline(tmp_path: Path) -> None:
    house = "groups: {deadline: {criteria: [{name: Big, when: employees > 100, points: 3}]}}"
    workspace = open_shop(tmp_path, workspace=WORKSPACE + DEADLINE, house=house)
    workspace.ingest()
    workspace.export(str(tmp_path / "ranking.csv"))
    with (tmp_path / "ranking.csv").open() as file:
        first = next(iter(csv.DictReader(file)))
    assert (first["deadline_"], first["days_left"], first["deadline"]) == ("2026-03-02 00:00:00", "1.0", "3.0")


def test_the_report_shows_the_time_left(dated: Workspace, tmp_path: Path) -> None:
    dated.report(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "<th>due</th>" in page
    assert "<td>5 days overdue</td>" in page


def test_a_notebook_shows_group_and_time_left(dated: Workspace) -> None:
    page = dated.rank(per="account")._repr_html_()
    head, first = page.partition("<tbody>")[0], page.partition("<tbody>")[2].partition("</tr>")[0]
    assert head.index("account") < head.index("due") < head.index("score")
    assert all(cell in first for cell in (">ann<", ">Acme<", ">due in 1 day<"))
