"""Threats: risk = likelihood × impact on the example, then on CVEs and CISA's catalogue of known exploited ones."""

from __future__ import annotations

import math
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
    folder = tmp_path_factory.mktemp("threats") / "soc"
    init(folder, playbook="threats", today=date(2026, 6, 30))
    workspace = Workspace(folder, now=lambda: TODAY)
    assert workspace.check().warnings == ()
    workspace.ingest()
    return workspace


def test_the_example_ranks_by_risk_behind_what_is_known_to_be_exploited(example: Workspace) -> None:
    found = example.rank(limit=150)
    assert (found.entity, found.scorecard, found.total) == ("vulnerability", "risk", 150)
    known = [row.ledger.gate is not None for row in found.rows]
    assert known == sorted(known, reverse=True)
    assert sum(known) == 28
    risks = [row.ledger.expected for row in found.rows if row.ledger.gate is None]
    assert risks == sorted(risks, reverse=True)
    scores = [row.ledger.score for row in found.rows if row.ledger.gate is None]
    assert scores != sorted(scores, reverse=True), "impact changes the order"


def test_risk_is_chance_times_impact_and_both_are_said(example: Workspace) -> None:
    for row in example.rank(limit=60).rows:
        ledger = row.ledger
        assert ledger.expected == pytest.approx(ledger.probability * ledger.worth)
        assert math.fsum(item.points for item in ledger.contributions) == pytest.approx(ledger.score)
    critical = {row.ledger.worth for row in example.rank(limit=150).rows}
    assert {0.5, 6.0, 12.0} <= critical, "from what hardly hurts to a critical asset taken over"
    said = str(example.explain("CVE-2025-10070"))
    assert "chance" in said


def test_the_impact_is_that_of_the_cvss_specification(example: Workspace) -> None:
    """6.42 × ISS is 5.9 with all three high and 3.6 with one; with a changed scope and two low it is 2.7."""
    trials = {"C:H/I:H/A:H": 6, "C:N/I:N/A:H": 3.6, "C:N/I:N/A:N": 1}
    for impact, worth in trials.items():
        found = example.try_lead({"cvss_vector": f"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/{impact}"})
        assert found.worth == worth
    assert example.try_lead({"cvss_vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"}).worth == 2.5


def test_a_report_says_vulnerability(example: Workspace, tmp_path: Path) -> None:
    example.report(tmp_path / "risk.html", "risk")
    page = (tmp_path / "risk.html").read_text()
    assert "vulnerabilities" in page
    assert ">lead<" not in page


@pytest.mark.data
def test_published_cves(made_case: Made) -> None:
    _, workspace = made_case("threats_published")
    found = workspace.evaluate("risk")
    assert (found.metrics.n, found.metrics.wins) == (37_929, 79)
    assert found.metrics.auc.value > 0.83
    better = {item.other: item.difference.low for item in found.against if item.figure == "auc"}
    assert better["CVSS base score"] > 0
    assert min(low for other, low in better.items() if "first" in other) > 0.1
    ledger = workspace.explain("CVE-2024-38812", "risk", as_of=datetime(2024, 9, 18))
    assert ledger.gate is None, "not in the catalogue before 20 November"
    assert math.fsum(item.points for item in ledger.contributions) == pytest.approx(ledger.score)
    assert (
        workspace.explain("CVE-2024-38812", "risk", as_of=datetime(2024, 11, 21)).gate.name == "Known to be exploited"
    )


@pytest.mark.data
def test_a_backlog_with_ssvc(made_case: Made) -> None:
    case, workspace = made_case("threats_backlog")
    found = workspace.evaluate("risk")
    assert (found.metrics.n, found.metrics.wins) == (87_606, 28)
    assert found.metrics.auc.value > 0.8
    better = {item.other: item.difference for item in found.against if item.figure == "auc"}
    assert better["CVSS base score"].low > 0
    assert better["SSVC"].value > 0
    assert case.capacity == 0.05
