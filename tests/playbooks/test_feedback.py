"""Feedback: impact and demand on the example, then the bug reports of Hadoop by their texts."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leadlight.templates.init import init
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from case import Case

Made = Callable[[str], "tuple[Case, Workspace]"]
TODAY = datetime(2026, 6, 30, 17)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The playbook with its example data, read."""
    folder = tmp_path_factory.mktemp("feedback") / "product"
    init(folder, playbook="feedback", today=date(2026, 6, 30))
    workspace = Workspace(folder, now=lambda: TODAY)
    assert workspace.check().warnings == ()
    workspace.ingest()
    return workspace


def test_the_example_ranks_open_reports(example: Workspace) -> None:
    found = example.rank(limit=180)
    assert (found.entity, found.scorecard) == ("report", "impact")
    assert (found.total, found.excluded) == (48, 132)
    assert found.rows[0].reasons[0] == "Security: yes: +30"
    for row in found.rows:
        assert math.fsum(item.points for item in row.ledger.contributions) == pytest.approx(row.ledger.score)


def test_demand_counts_and_is_capped(example: Workspace) -> None:
    demand = [row.ledger.totals["demand"] for row in example.rank(limit=180).rows]
    assert max(demand) > 10
    assert max(demand) <= 60


def test_words_are_found_whole_and_in_any_case(example: Workspace) -> None:
    def harm(title: str) -> float:
        return example.try_lead({"title": title}, "impact").score

    assert harm("Export LOSES DATA") == harm("export loses data") == 40
    assert harm("Deadlock in export") == 25
    assert harm("Typo") == -30
    assert harm("Database of closed typography") == 0


def test_a_report_of_reports(example: Workspace, tmp_path: Path) -> None:
    example.report(tmp_path / "impact.html", "impact")
    page = (tmp_path / "impact.html").read_text()
    assert "reports" in page
    assert ">lead<" not in page


def test_without_voices_demand_counts_nothing(example: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "product"
    shutil.copytree(example.root, folder)
    (folder / "leadlight.duckdb").unlink()
    path = folder / "leadlight.yaml"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "voices.csv" not in line))
    workspace = Workspace(folder, now=lambda: TODAY)
    workspace.ingest()
    assert {row.ledger.totals["demand"] for row in workspace.rank(limit=50).rows} == {0.0}


@pytest.mark.data
def test_critical_reports_of_hadoop(made_case: Made) -> None:
    _, workspace = made_case("feedback_hadoop")
    found = workspace.evaluate("impact")
    assert (found.metrics.n, found.metrics.wins) == (2_491, 162)
    assert found.metrics.auc.value > 0.62
    first_come = [item.difference.low for item in found.against if item.figure == "auc" and "first" in item.other]
    assert len(first_come) == 2
    assert min(first_come) > 0
    ledger = workspace.explain("13339323", "impact")
    assert (ledger.entity, ledger.score) == ("report", 53.0)


@pytest.mark.data
def test_fixed_reports_of_hadoop(made_case: Made) -> None:
    _, workspace = made_case("feedback_fixed")
    found = workspace.evaluate("will_be_fixed")
    assert (found.metrics.n, found.metrics.wins) == (2_422, 1_123)
    assert found.metrics.auc.value > 0.57


@pytest.mark.data
def test_words_are_learned(made_case: Made, tmp_path: Path) -> None:
    case, made = made_case("feedback_hadoop")
    shutil.copytree(made.root, tmp_path / "product")
    workspace = Workspace(tmp_path / "product", now=lambda: case.now)
    run = workspace.learn(outcome="critical", against="impact", force=True)
    assert sum("says “" in criterion.name for criterion in run.learned.criteria) > 20
    verdict = run.learned.verdict
    assert verdict.metrics.auc.value > 0.6
    workspace.report(tmp_path / "learned.html", run.placed.name)
    assert "reports" in (tmp_path / "learned.html").read_text()
