"""Customer success: three outcomes, a scorecard each, from files to verdicts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pytest

from leadlight.cli.app import main
from leadlight.errors import NotFoundError
from leadlight.evaluate.metrics import measure
from leadlight.learn.line import Wish
from leadlight.learn.run import LearnRun
from leadlight.templates.init import init
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from case import Case

Made = Callable[[str], "tuple[Case, Workspace]"]
OUTCOMES = ("churn", "renewal", "expansion")
TODAY = datetime(2026, 6, 30)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The playbook with its example data, read."""
    folder = tmp_path_factory.mktemp("customer-success") / "success"
    init(folder, playbook="customer-success", today=date(2026, 6, 30))
    workspace = Workspace(folder, now=lambda: TODAY)
    assert workspace.check().warnings == ()
    workspace.ingest()
    return workspace


def test_the_example_ranks_by_each_outcome(example: Workspace) -> None:
    red = example.rank("churn")
    assert (red.total, red.excluded) == (77, 13)  # who has left is not ranked
    assert red.rows[0].ledger.grade == "red"
    assert "Days since last login" in red.rows[0].reasons[0]
    first = example.explain(red.rows[0].ledger.id, "churn")
    assert sum(item.points for item in first.contributions) == pytest.approx(first.score)
    safe = example.rank("renewal").rows[0].ledger.id
    assert example.explain(safe, "churn").grade == "green"
    assert "subscribers by expansion" in str(example.rank("expansion"))


def test_the_example_is_judged_by_each_outcome(example: Workspace) -> None:
    counts = {name: example.evaluate(name).metrics for name in OUTCOMES}
    assert len({item.wins for item in counts.values()}) == 3
    assert counts["renewal"].wins > counts["churn"].wins
    for item in counts.values():
        assert item.auc is not None
        assert item.auc.value > 0.5


def test_a_report_of_the_example_says_subscriber(example: Workspace, tmp_path: Path) -> None:
    example.report(tmp_path / "churn.html", "churn")
    page = (tmp_path / "churn.html").read_text()
    assert "Ideal subscriber" in page or "subscribers" in page
    assert ">lead<" not in page


# ----------------------------------------------------------------------------------------- the simulated subscribers


@pytest.fixture(scope="module")
def world(made_case: Made, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The simulated case, in a folder of the tests' own."""
    case, made = made_case("customer_success_churn")
    folder = tmp_path_factory.mktemp("world") / "w"
    shutil.copytree(made.root, folder)
    return Workspace(folder, now=lambda: case.now)


@pytest.fixture(scope="module")
def learned(world: Workspace) -> LearnRun:
    """What was learned of who leaves."""
    run = world.learn(outcome="churn", against="churn", force=True)
    assert isinstance(run, LearnRun)
    return run


def truth(world: Workspace) -> dict[str, dict[str, float]]:
    query = f"SELECT subscriber, churn, renewal, expansion FROM '{world.root}/data/truth.parquet'"
    rows = duckdb.connect().sql(query).fetchall()
    return {name: dict(zip(OUTCOMES, rest, strict=True)) for name, *rest in rows}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_card_orders_subscribers_as_the_truth_does(world: Workspace, outcome: str) -> None:
    true = truth(world)
    rows = world.rank(outcome, limit=10_000).rows
    assert len(rows) == len(true) == 995
    chance = np.array([true[row.ledger.id][outcome] for row in rows])
    tenth = len(rows) // 10
    assert chance[:tenth].mean() > 1.5 * chance.mean() or chance[:tenth].mean() > 0.95
    assert np.corrcoef([row.ledger.score for row in rows], chance)[0, 1] > 0.4


def test_learned_by_its_own_outcome(world: Workspace, learned: LearnRun) -> None:
    found = learned.learned
    assert (found.spec.outcome, learned.placed.name) == ("churn", "learned_churn")
    assert found.counts.rows == world.evaluate("churn").metrics.n
    assert found.verdict.metrics.auc is not None
    assert found.verdict.metrics.auc.value > 0.87
    assert "Better than the scorecard you have?" in str(found.verdict)
    card = world.loaded.scorecards["learned_churn"].spec
    assert card.outcome == "churn"
    assert card.calibration is not None


def test_the_learned_probability_is_near_the_true_one(world: Workspace, learned: LearnRun) -> None:
    true = truth(world)
    rows = world.rank(learned.placed.name, limit=10_000).rows
    said = np.array([row.ledger.probability or 0.0 for row in rows])
    chance = np.array([true[row.ledger.id]["churn"] for row in rows])
    assert said.mean() == pytest.approx(chance.mean(), abs=0.03)
    assert np.corrcoef(said, chance)[0, 1] > 0.75
    best = measure(chance, np.random.default_rng(1).random(len(chance)) < chance).auc
    assert best is not None


def test_all_verbs_follow_the_card(world: Workspace, learned: LearnRun) -> None:
    name = learned.placed.name
    assert world.evaluate(name).metrics.wins == world.evaluate("churn").metrics.wins
    assert world.evaluate("expansion").metrics.wins != world.evaluate("churn").metrics.wins
    line = world.threshold(Wish(per_day=1.0), name)
    assert line.wins < world.threshold(Wish(per_day=1.0), "renewal").wins
    profiles = {card: world.profile(card) for card in ("churn", "expansion")}
    assert profiles["churn"].won != profiles["expansion"].won
    assert "30 days apart" in profiles["churn"].rule
    who = world.rank("churn").rows[0].ledger.id
    assert world.similar(who, "churn").base_rate != world.similar(who, "expansion").base_rate
    assert world.next(who, "expansion").cases > 0
    watched = world.watch("churn", since="2026-01-01")
    assert watched.settled > 0
    difference = world.diff("renewal", against=world.root / "scorecards" / "renewal.yaml")
    assert difference.hindsight[1] is not None
    assert difference.hindsight[1].auc == pytest.approx(0.97, abs=0.03)


def test_points_moved_and_learning_if_needed_keep_the_outcome(world: Workspace, learned: LearnRun) -> None:
    moved = world.adjust("expansion")
    assert moved.placed is not None
    assert "outcome: expansion" in moved.placed.path.read_text()
    assert moved.proposal.wins == world.evaluate("expansion").metrics.wins
    seen = world.learn(name=learned.placed.name, if_needed=True)
    assert not isinstance(seen, LearnRun)
    assert (seen.scorecard, seen.needs_learning) == ("learned_churn", False)


def test_the_past_replayed_by_a_repeated_outcome(world: Workspace) -> None:
    month, never = timedelta(days=30), timedelta(days=900)
    found = world.backtest("expansion", top=20, since="2026-01-01", every=month, relearn=never)
    deals = {item.name: item.deals.sum() for item in found.backtest.strategies}
    assert deals["hindsight"] > deals["expansion"] > deals["random order"]
    assert found.backtest.of("expansion").worth.sum() > 0


def test_what_is_none_is_said(world: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotFoundError, match="no outcome 'churned': did you mean 'churn'"):
        world.learn(outcome="churned")
    with pytest.raises(NotFoundError, match=r"several outcomes \(churn, renewal, expansion\)"):
        world.learn()
    assert main(["learn", "--outcome", "renewals", "-w", str(world.root)]) == 6
    assert "did you mean 'renewal'" in " ".join(capsys.readouterr().err.split())


# ----------------------------------------------------------------------------------------------------------- RavenStack


@pytest.mark.data
def test_on_noise_nothing_is_learned(made_case: Made) -> None:
    """RavenStack is synthetic and has no signal: whoever reports skill leaks."""
    _, workspace = made_case("customer_success_ravenstack")
    metrics = workspace.evaluate("churn").metrics
    assert (metrics.n, metrics.wins) == (17_711, 556)
    run = workspace.learn(outcome="churn", against="churn")
    assert isinstance(run, LearnRun)
    assert not run.learned.publishable
    auc = run.learned.verdict.metrics.auc
    assert auc is not None
    assert auc.low < 0.56
