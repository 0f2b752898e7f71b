"""The benchmarks on simulated worlds: their figures by hand, and a draw of outcomes that holds what it says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest

from leadlight.learn.training import Rows

FOLDER = Path(__file__).parents[2] / "benchmarks" / "learning"
MODULES = ("worlds", "seen", "curves")


@pytest.fixture(scope="module")
def modules() -> Iterator[dict[str, ModuleType]]:
    """The benchmarks' modules, which import each other by their bare names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield {name: __import__(name) for name in MODULES}
        for name in MODULES:
            sys.modules.pop(name, None)


def test_expected_area_is_the_mean_over_all_outcomes(modules: dict[str, ModuleType]) -> None:
    """Won and not won of each pair of leads, by their probabilities, ties half."""
    random = np.random.default_rng(1)
    score, true = random.integers(0, 6, 40).astype(float), random.random(40)
    above = (score[:, None] > score[None, :]) + 0.5 * (score[:, None] == score[None, :])
    weight = true[:, None] * (1 - true)[None, :]
    assert modules["curves"].expected_area(score, true) == pytest.approx((above * weight).sum() / weight.sum())


def test_slope_tells_what_is_too_bold(modules: dict[str, ModuleType]) -> None:
    log_odds = np.linspace(-4, 1, 200)
    true, bold = (1 / (1 + np.exp(-scale * log_odds)) for scale in (1.0, 2.0))
    assert modules["worlds"].slope(true, bold) == pytest.approx(0.5, abs=0.01)


def test_coverage_counts_groups_whose_mean_lies_in_the_interval(modules: dict[str, ModuleType]) -> None:
    score = np.arange(200.0)
    true = np.where(score < 50, 0.5, 0.2)
    found = modules["worlds"].coverage(true, np.full(200, 0.1), np.full(200, 0.3), score)
    assert found == pytest.approx(0.75)


@pytest.mark.parametrize("wins", [0, 1, 7])
def test_a_draw_holds_so_many_winners_and_whole_leads(modules: dict[str, ModuleType], wins: int) -> None:
    lead = np.repeat(np.arange(300), 3)
    won = np.repeat(np.arange(300) % 10 == 0, 3)
    none = np.zeros(900)
    rows = Rows(lead, pa.array(np.zeros(900), pa.float64()), won, none, none, none, won, True)
    drawn = modules["curves"].draw(rows, wins, np.random.default_rng(1))
    assert len(np.unique(lead[drawn][won[drawn]])) == wins
    assert (np.bincount(lead[drawn], minlength=300)[np.unique(lead[drawn])] == 3).all()
    assert modules["curves"].draw(rows, 31, np.random.default_rng(1)) is None


def test_what_another_world_does_not_have_is_missing(modules: dict[str, ModuleType]) -> None:
    found = modules["seen"]._matrix(
        pa.table({"kind": ["b", None, "c"]}), ["kind", "size"], {"kind": pa.array(["a", "b"])}
    )
    assert np.array_equal(found, [[1, np.nan], [np.nan, np.nan], [np.nan, np.nan]], equal_nan=True)
