"""Digital marketing: who comes, and who comes because of the message; from files to verdicts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leadlight.cli.app import main
from leadlight.learn.run import LearnRun
from leadlight.templates.init import init
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from case import Case

Made = Callable[[str], "tuple[Case, Workspace]"]
TODAY = datetime(2026, 6, 30)
SAMPLE = 8_000


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The playbook with its example data, read."""
    folder = tmp_path_factory.mktemp("digital-marketing") / "marketing"
    init(folder, playbook="digital-marketing", today=date(2026, 6, 30))
    workspace = Workspace(folder, now=lambda: TODAY)
    assert workspace.check().warnings == ()
    workspace.ingest()
    return workspace


def test_the_example_ranks_the_coming_mailing_only(example: Workspace) -> None:
    found = example.rank("response")
    assert (found.total, found.excluded) == (60, 240)
    assert found.rows[0].reasons[0].startswith("Bought lately")
    ledger = example.explain(found.rows[0].ledger.id, "response")
    assert sum(item.points for item in ledger.contributions) == pytest.approx(ledger.score)
    assert "customers by response" in str(found)


def test_the_example_tells_response_and_what_it_is_worth_to_the_campaign(example: Workspace) -> None:
    found = example.evaluate("response")
    assert found.metrics.auc.low > 0.5
    assert found.campaign.arms[0].n + found.campaign.arms[1].n == 240
    assert "came" in str(found)
    assert "won" not in str(found)


def test_so_few_customers_cannot_tell_who_is_moved(example: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(example.root)
    assert main(["uplift", "--outcome", "visit", "-w", folder, "--as-of", "2026-06-30"]) == 0
    said = capsys.readouterr().out
    assert "Not yet" in said or "No." in said
    assert "drafts/uplift_visit.yaml" in said
    assert main(["report", "-w", folder, "-s", "response", "--as-of", "2026-06-30"]) == 0
    page = (example.root / "report.html").read_text(encoding="utf-8")
    assert "What it is worth to the campaign" in page


def test_without_the_message_all_but_uplift_works(tmp_path: Path) -> None:
    init(tmp_path / "plain", playbook="digital-marketing", today=date(2026, 6, 30))
    people = tmp_path / "plain" / "data" / "people.csv"
    rows = [line.split(",") for line in people.read_text(encoding="utf-8").splitlines()]
    people.write_text("\n".join(",".join(row[:2] + row[3:]) for row in rows) + "\n", encoding="utf-8")
    workspace = Workspace(tmp_path / "plain", now=lambda: TODAY)
    workspace.ingest()
    assert workspace.rank("response").total == 60
    assert main(["uplift", "--outcome", "visit", "-w", str(workspace.root), "--as-of", "2026-06-30"]) != 0


@pytest.mark.data
def test_the_hillstrom_campaign_from_raw_files(made_case: Made, tmp_path: Path) -> None:
    _, workspace = made_case("marketing_visits")
    visits = workspace.evaluate("response")
    assert visits.metrics.n == 64_000
    assert visits.metrics.wins == 9_394
    assert visits.metrics.auc.low > 0.55  # there is no order of arrival to beat: all got their mail on one day
    rates = [rate.rate for rate in visits.grades]
    assert rates == sorted(rates, reverse=True)
    treated, control = visits.campaign.arms
    assert (treated.n, control.n) == (42_694, 21_306)
    assert treated.rate == pytest.approx((0.1828 + 0.1514) / 2, abs=2e-3)  # the published rates
    assert control.rate == pytest.approx(0.1062, abs=1e-4)


@pytest.mark.data
def test_who_is_moved_by_the_womens_mail_is_learned_and_lasts_on_the_other_half(made_case: Made) -> None:
    _, workspace = made_case("marketing_visits")
    found = workspace.uplift(outcome="visit_womens").learned
    verdict = found.verdict
    assert found.neither == 21_307  # the men's mail
    assert verdict.balance.alike
    assert verdict.publishable
    assert verdict.better_than_random.word == "yes"
    assert verdict.better_than_response.word == "yes"
    assert verdict.figures.effect.value == pytest.approx(0.0452, abs=0.006)  # published: 15.14 % against 10.62 %
    figures = dict(verdict.systems)
    assert verdict.figures.qini.value >= figures["two black boxes"].qini.low
    assert "Womens" in [criterion.name for criterion in found.criteria]  # it moves those who bought women's goods
    assert {criterion.name for criterion in found.criteria}.isdisjoint({"Message", "Visit", "Spend", "Conversion"})
    ledger = workspace.rank("uplift_visit_womens", limit=1).rows[0].ledger
    assert 0.06 < ledger.uplift < 0.1
    assert workspace.evaluate("uplift_visit_womens").campaign.figures.qini.low > 0


@pytest.mark.data
def test_learned_is_on_a_par_with_the_black_box(made_case: Made, tmp_path: Path) -> None:
    _, workspace = made_case("marketing_visits")
    sampled = _sampled(workspace.root, tmp_path / "sample")
    run = sampled.learn(outcome="visit", against="response")
    assert isinstance(run, LearnRun)
    verdict = run.learned.verdict
    systems = dict(verdict.systems)
    assert verdict.metrics.auc.value > systems["black box"].auc.low
    assert verdict.metrics.auc.value > systems["today's scorecard"].auc.value
    assert "visits" in str(run)


def _sampled(folder: Path, into: Path) -> Workspace:
    """Copy a workspace with the first customers only."""
    shutil.copytree(folder, into, ignore=shutil.ignore_patterns("*.duckdb*", "drafts", "uplift*"))
    people = into / "data" / "people.csv"
    people.write_text("".join(people.read_text().splitlines(keepends=True)[: SAMPLE + 1]))
    workspace = Workspace(into, now=lambda: datetime(2008, 3, 20))
    workspace.ingest()
    return workspace
