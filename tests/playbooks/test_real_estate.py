"""Real estate: offers, viewings and demand; on RentHop's listings and a made-up agency whose chances are known."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

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
    folder = tmp_path_factory.mktemp("agency") / "agency"
    init(folder, playbook="real-estate", today=TODAY.date())
    workspace = Workspace(folder, now=lambda: TODAY)
    assert [str(fault) for fault in workspace.check().warnings if "price_per_room" not in str(fault)] == []
    assert workspace.ingest().rejected == 0
    return workspace


@pytest.mark.parametrize("card", ["house", "viewings", "listings"])
def test_the_example_ranks_and_explains(example: Workspace, card: str) -> None:
    found = example.rank(card, limit=200)
    assert (found.total, found.excluded) == (123, 157)
    for row in found.rows:
        assert sum(item.points for item in row.ledger.contributions) == pytest.approx(row.ledger.score, abs=1e-9)
    assert "enquiries by" in str(found)


def test_every_surface_speaks_of_enquiries_and_offers(example: Workspace, tmp_path: Path) -> None:
    found = example.evaluate("house")
    assert "offers among" in str(found.metrics)
    assert "enquiries" in str(found.metrics)
    assert found.metrics.auc is not None
    assert found.metrics.auc.low > 0.6
    html = example.report(tmp_path / "report.html").html
    assert "enquiries scored" in html
    assert "followed by an offer" in html


def test_what_is_asked_is_read_from_the_message(example: Workspace) -> None:
    with example.store() as engine:
        asking, other = (
            engine.rows(
                "SELECT l.id FROM attributes a JOIN leads l USING (lead) ANTI JOIN outcomes o ON o.lead = l.lead "
                f"WHERE a.message {how} LIKE '%viewing%' AND a.message NOT LIKE '%visit%' LIMIT 1"
            )[0][0]
            for how in ("", "NOT")
        )
    names = [[item.name for item in example.explain(one).contributions if item.points] for one in (asking, other)]
    assert ("Asks to see it" in names[0], "Asks to see it" in names[1]) == (True, False)


# --------------------------------------------------------------------------------------- listings, and a made-up agency


def own(made_case: Made, name: str, folder: Path) -> Workspace:
    """Return a case in a folder of the test's own."""
    case, made = made_case(name)
    shutil.copytree(made.root, folder / "w")
    return Workspace(folder / "w", now=lambda: case.now)


@pytest.mark.data
def test_rental_listings_in_demand(made_case: Made, tmp_path: Path) -> None:
    workspace = own(made_case, "realestate_renthop", tmp_path)
    card = workspace.evaluate("listings")
    assert (card.metrics.n, card.metrics.wins) == (49_352, 3_839)
    assert card.metrics.auc is not None
    assert card.metrics.auc.low > 0.68
    assert [label for label, _ in card.beside] == ["cheapest for each room"]
    assert "sought-after listings" in str(card.metrics)
    first = workspace.rank("listings", limit=1).rows[0].ledger
    assert first.grade == "A"
    assert any(item.name == "Price against the market" and item.points == 25 for item in first.contributions)


def test_a_made_up_agency(made_case: Made, tmp_path: Path) -> None:
    workspace = own(made_case, "realestate_viewings", tmp_path)
    run = workspace.learn(outcome="viewing", against="viewings", force=True)
    assert isinstance(run, LearnRun)
    verdict = run.learned.verdict
    assert verdict.timed
    better = {(item.other, item.figure): item.stands_out for item in verdict.comparisons}
    assert better["today's scorecard", "auc"] == better["first come, first served", "auc"] == "better"
    assert better["black box", "auc"] != "worse"
    assert "viewings, none of them learned from" in str(verdict)


def test_the_made_up_agency_is_what_it_says(tmp_path: Path) -> None:
    from enquiries import write_enquiries

    one = write_enquiries(tmp_path, count=20_000, seed=1, until=TODAY)
    offers = ~np.isnan(one.offer)
    assert offers.mean() == pytest.approx(one.chance.mean(), abs=0.01)
    high = one.chance > np.quantile(one.chance, 0.9)
    assert offers[high].mean() == pytest.approx(one.chance[high].mean(), abs=0.03)
    assert (one.offer[offers] > one.viewing[offers]).all()
    text = (tmp_path / "activity.csv").read_text()
    again = write_enquiries(tmp_path, count=20_000, seed=1, until=TODAY)
    assert np.array_equal(one.chance, again.chance)
    assert (tmp_path / "activity.csv").read_text() == text
