"""B2B sales: leads by fit, intent and timing, and companies; on a marketplace's funnel and an academy's leads."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leadlight.errors import DataError, UsageError
from leadlight.learn.line import Wish
from leadlight.learn.run import LearnRun
from leadlight.templates.init import init
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from case import Case

Made = Callable[[str], "tuple[Case, Workspace]"]
TODAY = datetime(2026, 6, 30)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The playbook with its example data, read."""
    folder = tmp_path_factory.mktemp("sales") / "shop"
    init(folder, playbook="b2b-sales", today=TODAY.date())
    workspace = Workspace(folder, now=lambda: TODAY)
    assert workspace.check().warnings == ()
    assert workspace.ingest().rejected == 0
    return workspace


def test_the_example_ranks_and_explains(example: Workspace, tmp_path: Path) -> None:
    found = example.rank(limit=300)
    assert (found.scorecard, found.total, found.excluded) == ("house", 89, 171)
    assert [row.ledger.score for row in found.rows] == sorted((row.ledger.score for row in found.rows), reverse=True)
    for row in found.rows:
        assert sum(item.points for item in row.ledger.contributions) == pytest.approx(row.ledger.score, abs=1e-9)
    assert {row.ledger.grade for row in found.rows} >= {"A1", "A3", "B2", "C3"}
    page = example.report(tmp_path / "report.html").html
    assert "leads scored" in page
    assert "Asked for a demo" in page


def test_companies_are_ranked_by_what_their_people_do(example: Workspace) -> None:
    found = example.rank("companies", limit=100)
    assert found.total == 54
    first = found.rows[0].ledger
    assert first.grade == "A"
    assert {item.group for item in first.contributions if item.points} == {"fit", "interest"}


def test_companies_have_no_outcomes_of_their_own_to_be_judged_by(example: Workspace) -> None:
    for judge in (example.evaluate, lambda card: example.threshold(Wish(per_day=1), card)):
        with pytest.raises(UsageError, match="companies scores accounts, and outcomes are those of leads"):
            judge("companies")


def test_the_card_foretells_the_example(example: Workspace) -> None:
    metrics = example.evaluate("house").metrics
    assert metrics.auc is not None
    assert metrics.auc.low > 0.6


def test_a_file_with_leads_alone_works(example: Workspace, tmp_path: Path) -> None:
    """No companies, no events, no deals: what is lost is said, and the rest is ranked."""
    folder = tmp_path / "shop"
    shutil.copytree(example.root, folder, ignore=shutil.ignore_patterns("*.duckdb"))
    path = folder / "leadlight.yaml"
    text = re.sub(r"  # What is known of companies.*?\n\noutcome: \{.*?\n", "\n", path.read_text(), flags=re.DOTALL)
    path.write_text(text.replace('exclude: "outcome is not null" ', "# "))
    workspace = Workspace(folder, now=lambda: TODAY)
    report = workspace.check()
    absent = {column.column: column.without for column in report.contract if column.header is None}
    assert absent["page"] == "no points for looking at prices"
    assert absent["employees"] == "no points for size"
    workspace.ingest()
    found = workspace.rank(limit=3)
    assert found.total == 260
    assert "Role" in str(found)


def test_other_headers_are_told_what_to_write(example: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(example.root, folder, ignore=shutil.ignore_patterns("*.duckdb"))
    deals = folder / "data" / "deals.csv"
    deals.write_text(deals.read_text().replace(",stage,", ",Deal Stage,", 1))
    with pytest.raises(DataError) as raised:
        Workspace(folder, now=lambda: TODAY).check()
    assert 'write `rename: {stage: "Deal Stage"}` under sources.deals' in str(raised.value)
    spec = folder / "leadlight.yaml"
    spec.write_text(
        spec.read_text().replace("closed, outcome: stage", 'closed, rename: {stage: "Deal Stage"}, outcome: stage')
    )
    Workspace(folder, now=lambda: TODAY).check()


# --------------------------------------------------------------------------------------------------------- real leads


def own(made_case: Made, name: str, folder: Path) -> Workspace:
    """Return a case in a folder of the test's own."""
    case, made = made_case(name)
    shutil.copytree(made.root, folder / "w")
    return Workspace(folder / "w", now=lambda: case.now)


@pytest.mark.data
def test_sellers_for_a_marketplace(made_case: Made, tmp_path: Path) -> None:
    workspace = own(made_case, "sales_olist", tmp_path)
    found = workspace.check()
    assert {column.column for column in found.contract if column.constant == "won"} == {"stage"}
    card = workspace.evaluate("house", since="2018-01-01")
    against = {item.other: item.difference for item in card.against if item.figure == "auc"}
    assert against["oldest first"].low > 0
    assert against["newest first"].low > 0
    run = workspace.learn(against="house", force=True)
    assert isinstance(run, LearnRun)
    verdict = run.learned.verdict
    assert (verdict.n, verdict.wins, verdict.timed) == (7_783, 421, True)
    better = {(item.other, item.figure): item.stands_out for item in verdict.comparisons}
    assert better["today's scorecard", "auc"] == "better"
    assert better["black box", "auc"] != "worse"
    assert "were won by" in workspace.report(tmp_path / "report.html", as_of="2018-06-01").html


@pytest.mark.data
def test_professionals_for_an_academy(made_case: Made, tmp_path: Path) -> None:
    """One file without dates: the newest by lead number are judged."""
    workspace = own(made_case, "sales_xeducation", tmp_path)
    card = workspace.evaluate("house").metrics
    assert (card.n, card.wins) == (9_240, 3_561)
    assert card.auc is not None
    assert card.auc.low > 0.7
    run = workspace.learn(against="house", force=True)
    assert isinstance(run, LearnRun)
    verdict = run.learned.verdict
    assert (verdict.n, verdict.wins, verdict.timed) == (2_310, 891, True)
    assert any("record_number is taken to rise with time" in text for text in run.learned.assumptions)
    assert not {"record_number", "email"} & {getattr(item, "feature", "") for item in run.learned.criteria}
    better = {(item.other, item.figure): item.stands_out for item in verdict.comparisons}
    assert better["today's scorecard", "auc"] == better["first come, first served", "auc"] == "better"
    assert better["black box", "auc"] != "worse"


def test_dates_of_the_example_end_before_the_day_it_was_written(tmp_path: Path) -> None:
    init(tmp_path, playbook="b2b-sales", today=date(2026, 6, 30))
    days = re.findall(r"\d{4}-\d\d-\d\d", (tmp_path / "data" / "events.csv").read_text())
    assert max(days) <= "2026-06-30"
