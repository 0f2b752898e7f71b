"""E-commerce: who buys again and for how much, what to offer, and who buys in the session."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pytest

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
    folder = tmp_path_factory.mktemp("ecommerce") / "shop"
    init(folder, playbook="ecommerce", today=date(2026, 6, 30))
    workspace = Workspace(folder, now=lambda: TODAY)
    assert workspace.check().warnings == ()
    workspace.ingest()
    return workspace


def test_the_example_ranks_and_explains(example: Workspace) -> None:
    found = example.rank()
    assert (found.scorecard, found.total, found.rows[0].ledger.grade) == ("rfm", 80, "A")
    ledger = example.explain(found.rows[0].ledger.id)
    assert sum(item.points for item in ledger.contributions) == pytest.approx(ledger.score)
    assert "shoppers by rfm" in str(found)


def test_the_example_is_judged_on_orders_that_repeat(example: Workspace, tmp_path: Path) -> None:
    metrics = example.evaluate("rfm").metrics
    assert metrics.wins > 80  # more than there are customers
    assert metrics.auc is not None
    assert metrics.auc.value > 0.6
    example.report(tmp_path / "shop.html")
    page = (tmp_path / "shop.html").read_text()
    assert "bought again" in page
    assert "shoppers" in page


def test_files_that_do_not_fit_are_said(example: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(example.root, folder)
    orders = folder / "data" / "orders.csv"
    orders.write_text(orders.read_text().replace("customer,at,type,amount", "customer,at,type,total"))
    with pytest.raises(Exception, match="amount: no column holds it, and it is needed"):
        Workspace(folder, now=lambda: TODAY).check()


# -------------------------------------------------------------------------------------------------------- real shops


def own(made_case: Made, name: str, folder: Path) -> Workspace:
    """Return a case in a folder of the test's own."""
    case, made = made_case(name)
    shutil.copytree(made.root, folder / "w")
    return Workspace(folder / "w", now=lambda: case.now)


@pytest.mark.data
def test_online_retail(made_case: Made, tmp_path: Path) -> None:
    workspace = own(made_case, "ecommerce_online_retail", tmp_path)
    evaluation = workspace.evaluate("rfm")
    assert (evaluation.metrics.n, evaluation.metrics.wins, evaluation.metrics.leads) == (30_172, 8_640, 4_070)
    against = {item.other: item for item in evaluation.against if item.figure == "auc"}
    assert against["newest first"].difference.low > 0.2
    run = workspace.learn()
    assert isinstance(run, LearnRun)
    assert run.learned.counts.wins == 8_640
    assert run.learned.verdict.metrics.auc is not None
    assert run.learned.verdict.metrics.auc.value > 0.73
    assert run.learned.spec.worth is not None
    ranked = workspace.rank("learned", limit=50)
    best = ranked.rows[0].ledger
    assert best.expected == pytest.approx(best.probability * best.worth)
    moment = datetime(2011, 11, 9, 13)
    everyone = workspace.rank("learned", limit=100_000, as_of=moment).rows
    said = sum(row.ledger.expected or 0.0 for row in everyone)
    assert 0.5 < said / brought_since(workspace, moment) < 1.5  # a card that has seen these very outcomes


def brought_since(workspace: Workspace, moment: datetime) -> float:
    """What the customers of then ordered since."""
    data = workspace.root / "data"
    query = f"""
        SELECT sum(o.amount) FROM '{data}/orders.csv' o JOIN '{data}/customers.csv' c ON c.customer = o.customer
        WHERE o.type = 'order' AND o."at" > ? AND c.first_seen <= ?
    """
    row = duckdb.connect().execute(query, [moment, moment]).fetchone()
    assert row is not None
    return float(row[0])


@pytest.mark.data
def test_what_to_offer(made_case: Made) -> None:
    _, workspace = made_case("ecommerce_online_retail")
    found = workspace.next("12748", within=timedelta(days=30))
    assert found.cases > 100
    assert all(step.event in ("order", "item", "return") for step in found.steps)
    assert any(step.event == "item" and step.content for step in found.steps)


@pytest.mark.data
def test_cdnow_against_rfm_and_bg_nbd(made_case: Made, tmp_path: Path) -> None:
    workspace = own(made_case, "ecommerce_cdnow", tmp_path)
    evaluation = workspace.evaluate("rfm")
    assert (evaluation.metrics.n, evaluation.metrics.wins) == (38_375, 3_143)
    against = {item.other: item.difference for item in evaluation.against if item.figure == "auc"}
    assert against["RFM"].low > 0  # the card knows the own rhythm, too
    assert against["BG/NBD"].low > -0.02
    run = workspace.learn()
    assert isinstance(run, LearnRun)
    auc = run.learned.verdict.metrics.auc
    assert auc is not None
    assert auc.value > 0.81
    assert "bg_nbd" not in run.learned.leaks.features


@pytest.mark.data
def test_sessions(made_case: Made, tmp_path: Path) -> None:
    workspace = own(made_case, "ecommerce_online_shoppers", tmp_path)
    evaluation = workspace.evaluate("session")
    assert (evaluation.metrics.n, evaluation.metrics.wins) == (12_330, 1_908)
    assert evaluation.metrics.auc is not None
    assert evaluation.metrics.auc.low > 0.69
    assert workspace.rank("session").rows[0].ledger.grade == "hot"
    run = workspace.learn(outcome="session", against="session")
    assert isinstance(run, LearnRun)
    assert run.learned.spec.outcome == "session"
    assert "page_value" not in run.learned.leaks.features
    assert run.learned.verdict.metrics.auc is not None
    assert run.learned.verdict.metrics.auc.value > 0.71


@pytest.mark.data
def test_bg_nbd_is_that_of_the_paper(made_case: Made) -> None:
    """Fader, Hardie and Lee (2005), table 2: r .243, alpha 4.414, a .793, b 2.426, log-likelihood -9582.4."""
    made_case("ecommerce_cdnow")  # skips where the data set is absent
    from bg_nbd import fit
    from case import DATA

    first: dict[str, list[date]] = {}
    for line in (DATA / "ecom_cdnow" / "CDNOW_sample.txt").read_text().splitlines():
        _, customer, day, *_ = line.split()
        first.setdefault(customer, []).append(datetime.strptime(day, "%Y%m%d").date())
    end, rows = date(1997, 9, 30), []
    for days in first.values():
        known = sorted({day for day in days if day <= end})
        rows.append((len(known) - 1, (known[-1] - known[0]).days / 7, (end - known[0]).days / 7))
    model = fit(*np.array(rows, float).T)
    assert len(rows) == 2_357
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=0.001)
    assert model.log_likelihood == pytest.approx(-9582.4, abs=0.1)
    x, t_x, t = np.array([[2.0, 30.43, 38.86]]).T
    assert model.alive(x, t_x, t) == pytest.approx(0.726, abs=0.005)
    assert 0 < model.buys_within(1.0, x, t_x, t)[0] < model.buys_within(39.0, x, t_x, t)[0] < 1
