"""Financial services: creditworthiness and uptake, letters and groups; from files to verdicts."""

from __future__ import annotations

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


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The playbook with its example data, read."""
    folder = tmp_path_factory.mktemp("financial-services") / "bank"
    init(folder, playbook="financial-services", today=date(2026, 6, 30))
    workspace = Workspace(folder, now=lambda: TODAY)
    assert workspace.check().warnings == ()
    workspace.ingest()
    return workspace


def test_the_example_ranks_by_likelihood_to_repay(example: Workspace) -> None:
    found = example.rank("creditworthiness")
    assert found.total + found.excluded == 260
    first, last = found.rows[0].ledger, example.rank("creditworthiness", limit=300).rows[-1].ledger
    assert first.grade == "A"
    assert last.grade == "D"
    assert sum(item.points for item in example.explain(first.id, "creditworthiness").contributions) == pytest.approx(
        first.score
    )
    judged = example.evaluate("creditworthiness")
    assert judged.metrics.auc.low > 0.6
    assert next(rate.name for rate in judged.grades) == "A"
    assert "repaid" in str(judged)
    assert example.rank("uptake").total == found.total


def test_a_letter_and_letters_for_all_who_are_declined(
    example: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    declined = example.rank("creditworthiness", limit=300).rows[-1].ledger
    letter = example.letter(declined.id, "creditworthiness", line="B")
    assert 1 <= len(letter.wordings) <= 4
    assert sum(item.distance for item in letter.reasons) + letter.rest == pytest.approx(letter.reference - letter.score)
    assert not {"sex", "age", "marital_status"} & {word.lower() for word in letter.wordings}
    assert letter.notes == ()  # nothing protected gives points
    folder = ["-w", str(example.root), "-s", "creditworthiness", "--as-of", "2026-06-30"]
    assert main(["letter", declined.id, *folder]) == 0
    assert "Principal reasons:" in capsys.readouterr().out
    assert main(["letter", "--line", "C", "--into", str(tmp_path / "letters.csv"), *folder]) == 0
    below = sum(row.ledger.grade == "D" for row in example.rank("creditworthiness", limit=300).rows)
    assert len((tmp_path / "letters.csv").read_text().splitlines()) == below + 1


def test_groups_are_compared_at_the_line_on_every_surface(
    example: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {item.attribute: item for item in example.evaluate("creditworthiness").fairness}
    assert set(found) == {"sex", "age", "marital_status"}  # foreign_worker and dependents are in no file
    assert found["sex"].line == "grade B or better"
    folder = ["-w", str(example.root), "-s", "creditworthiness"]
    assert main(["evaluate", *folder, "--until", "2026-06-30"]) == 0
    assert "sex (granted: grade B or better)" in capsys.readouterr().out
    assert main(["report", *folder, "--as-of", "2026-06-30"]) == 0
    assert "Groups that are protected" in (example.root / "report.html").read_text(encoding="utf-8")


@pytest.mark.data
def test_german_credit_from_raw_file_to_verdict(made_case: Made) -> None:
    _, workspace = made_case("credit_german")
    judged = workspace.evaluate("creditworthiness")
    assert (judged.metrics.n, judged.metrics.wins) == (1_000, 700)
    assert judged.metrics.auc.low > 0.7
    rates = [rate.rate for rate in judged.grades]
    assert rates == sorted(rates, reverse=True)
    assert {item.attribute for item in judged.fairness} == {
        "sex", "age", "marital_status", "foreign_worker", "dependents",
    }  # fmt: skip
    run = workspace.learn(outcome="repayment", against="creditworthiness")
    assert isinstance(run, LearnRun)
    systems = dict(run.learned.verdict.systems)
    assert run.learned.verdict.metrics.auc.value > systems["black box"].auc.low
    assert {item.attribute for item in run.learned.fairness} >= {"sex", "age"}
    protected = set(workspace.loaded.workspace.spec.learn.protected)
    assert protected.isdisjoint(run.learned.leaks.features)
    worst = workspace.rank("creditworthiness", limit=1000).rows[-1].ledger.id
    assert len(workspace.letter(worst, "creditworthiness").wordings) == 4


@pytest.mark.data
def test_berka_loans_with_the_movements_there_are(made_case: Made) -> None:
    _, workspace = made_case("credit_berka")
    judged = workspace.evaluate("creditworthiness")
    assert (judged.metrics.n, judged.metrics.wins) == (682, 606)
    assert judged.metrics.auc.value > 0.5
    oldest = next(item for item in judged.against if item.other == "oldest first" and item.figure == "auc")
    assert oldest.stands_out == "better"
    with workspace.store() as engine:
        assert engine.rows("SELECT count(*) > 500, count(DISTINCT lead) > 30 FROM events")[0] == (True, True)


@pytest.mark.data
def test_bank_offers_in_time(made_case: Made) -> None:
    _, workspace = made_case("bank_offers")
    with workspace.store() as engine:
        years = engine.rows("SELECT min(created_at), max(created_at) FROM leads")[0]
    assert (years[0].year, years[0].month) == (2008, 5)
    assert (years[1].year, years[1].month) == (2010, 11)
    late = workspace.evaluate("uptake", since="2010-01-01")
    assert late.metrics.auc.low > 0.55
    everything = workspace.evaluate("uptake")
    assert (everything.metrics.n, everything.metrics.wins) == (41_188, 4_640)
    assert everything.metrics.auc.low > 0.65
    rates = [rate.rate for rate in everything.grades]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.data
def test_give_me_some_credit_by_hand(made_case: Made) -> None:
    _, workspace = made_case("credit_givemesomecredit")
    judged = workspace.evaluate("creditworthiness")
    assert (judged.metrics.n, judged.metrics.n - judged.metrics.wins) == (150_000, 10_026)
    assert judged.metrics.auc.low > 0.8
    age = next(item for item in judged.fairness if item.attribute == "age")
    assert 3 <= len(age.groups) <= 6
