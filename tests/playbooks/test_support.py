"""Support: urgency, deadlines, teams and agents on the example, then on the log of a real help desk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leadlight.cli.app import main
from leadlight.errors import DataError
from leadlight.templates.init import init
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from case import Case

Made = Callable[[str], "tuple[Case, Workspace]"]
TODAY = datetime(2026, 6, 30, 17)
MAY = datetime(2016, 5, 1)
"""The cards were written with nothing in view that was known later than this."""


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The playbook with its example data, read."""
    folder = tmp_path_factory.mktemp("support") / "desk"
    init(folder, playbook="support", today=date(2026, 6, 30))
    workspace = Workspace(folder, now=lambda: TODAY)
    assert workspace.check().warnings == ()
    workspace.ingest()
    return workspace


def test_the_example_ranks_open_tickets(example: Workspace) -> None:
    found = example.rank()
    assert (found.entity, found.scorecard, found.total, found.excluded) == ("ticket", "urgency", 40, 140)
    first = found.rows[0]
    assert (first.ledger.grade, first.due) == ("now", "2 days overdue")
    assert first.reasons[0] == "Time left: 2 days overdue: +38"
    assert sum(item.points for item in first.ledger.contributions) == pytest.approx(first.ledger.score)
    assert "40 tickets by will_return" in str(example.rank("will_return"))


def test_the_example_by_team_and_by_deadline(example: Workspace) -> None:
    teams = example.rank(per="team", limit=2)
    assert {group.name: group.count for group in teams.groups} == {"Apps": 17, "Desk": 14, "Network": 9}
    assert len(teams.rows) == 6
    dated = [row.days_left for row in example.rank(order="deadline", limit=40).rows if row.ledger.gate is None]
    assert dated == sorted(dated)
    saved = example.rank(order="rescue", per_day=4, limit=40)
    in_time = [row for row in saved.rows if row.in_time]
    assert 0 < len(in_time) < 19
    for number, row in enumerate(in_time, start=1):
        assert number / 4 <= row.days_left


def test_the_example_gives_tickets_to_agents(example: Workspace) -> None:
    found = example.allocate()
    assert (found.entity, found.total, found.by_rank.served, found.best.served) == ("ticket", 6, 3, 4)
    assert found.share == pytest.approx(found.by_rank.value / found.best.value)
    assert found.best.solved
    ranks = [item.rank for item in found.served]
    assert ranks == sorted(ranks)
    assert all("hours" in item.reason for item in found.waiting)


def test_a_report_of_the_example_says_ticket(example: Workspace, tmp_path: Path) -> None:
    example.report(tmp_path / "urgency.html", "urgency")
    page = (tmp_path / "urgency.html").read_text()
    assert "tickets" in page
    assert ">lead<" not in page


def test_every_verb_of_the_page_runs(example: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in (["rank", "--per", "team"], ["rank", "--order", "rescue", "--per-day", "12"], ["allocate"]):
        assert main([*verb, "-w", str(example.root), "--as-of", "2026-06-30T17:00"]) == 0
        assert " lead" not in capsys.readouterr().out


def test_half_fitting_files(example: Workspace, tmp_path: Path) -> None:
    """Without a priority, teams and skills it works, and says what it loses; with a strange impact it says which."""
    folder = tmp_path / "desk"
    shutil.copytree(example.root, folder)
    (folder / "leadlight.duckdb").unlink()
    rows = [line.split(",") for line in (folder / "data" / "tickets.csv").read_text().splitlines()]
    gone = {rows[0].index(name) for name in ("priority", "customer_tier", "channel")}
    kept = [",".join(cell for place, cell in enumerate(row) if place not in gone) for row in rows]
    (folder / "data" / "tickets.csv").write_text("\n".join(kept) + "\n")
    workspace = Workspace(folder, now=lambda: TODAY)
    assert "all tickets are due five days after they were opened" in str(workspace.check())
    workspace.ingest()
    assert workspace.rank().rows[0].due
    (folder / "data" / "tickets.csv").write_text("\n".join(kept).replace("2 - Medium", "P2") + "\n")
    with pytest.raises(DataError, match="impact.*P2"):
        Workspace(folder, now=lambda: TODAY).check()


# ------------------------------------------------------------------------------------------------------- a real desk


@pytest.mark.data
def test_urgency_of_real_incidents(made_case: Made) -> None:
    case, workspace = made_case("support_incidents")
    found = workspace.evaluate("urgency", since=MAY)
    assert (found.metrics.n, found.metrics.wins) == (33_222, 7_480)
    assert found.metrics.auc.value == pytest.approx(0.773, abs=0.0005)
    assert _auc_by_age(found) < 0.55
    open_now = workspace.rank("urgency", as_of=datetime(2016, 5, 10), per="team", limit=1)
    assert open_now.total == 2_559
    assert sum(group.count for group in open_now.groups) <= open_now.total
    ledger = workspace.explain("INC0008935", "urgency", as_of=datetime(2016, 4, 15))
    assert sum(item.points for item in ledger.contributions) == pytest.approx(ledger.score)
    assert (ledger.entity, ledger.gate.name) == ("ticket", "Solved")
    assert case.now - timedelta(days=30) > MAY


def _auc_by_age(found) -> float:
    """First come, first served."""
    beside = next(item for item in found.against if "oldest" in item.other)
    return found.metrics.auc.value - beside.difference.value


@pytest.mark.data
def test_which_real_incidents_come_back(made_case: Made) -> None:
    _, workspace = made_case("support_reopened")
    found = workspace.evaluate("will_return", since=MAY)
    assert found.metrics.wins > 50
    assert found.metrics.auc.value > 0.6


@pytest.mark.data
@pytest.mark.slow
def test_learned_from_real_incidents(made_case: Made, tmp_path: Path) -> None:
    case, made = made_case("support_incidents")
    shutil.copytree(made.root, tmp_path / "desk")
    workspace = Workspace(tmp_path / "desk", now=lambda: case.now)
    run = workspace.learn(outcome="missed", against="urgency", force=True)
    verdict = run.learned.verdict
    assert verdict.metrics.n == 28_416
    assert verdict.metrics.auc.value > 0.88
    assert "first come, first served" in str(verdict)
    assert "ITIL priority" in str(verdict)
    workspace.report(tmp_path / "learned.html", run.placed.name, as_of="2016-05-10")
    assert "ticket" in (tmp_path / "learned.html").read_text()
