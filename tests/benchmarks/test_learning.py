"""The learning benchmark: splits that respect time, peers by their formulas, and a run from end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest

from leadlight.learn.examples import Examples

FOLDER = Path(__file__).parents[2] / "benchmarks" / "learning"
DATA = Path(__file__).parents[3] / "shared" / "data"
MODULES = ("datasets", "protocols", "peers")

pytest.importorskip("pandas", reason="pandas is not installed: uv sync --group bench")


@pytest.fixture(scope="module")
def learning() -> Iterator[dict[str, ModuleType]]:
    """The benchmark's modules, which import each other by their bare names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        for name in MODULES:
            patch.delitem(sys.modules, name, raising=False)
        yield {name: __import__(name) for name in MODULES}
        for name in MODULES:
            sys.modules.pop(name, None)


def examples(rows: int = 200, *, horizon: float = 0.0) -> Examples:
    random = np.random.default_rng(0)
    features = pa.table({"x": random.random(rows), "kind": random.choice(["a", "b"], rows)})
    time = np.sort(random.uniform(100, 200, rows))
    return Examples(features=features, won=random.random(rows) < 0.3, time=time, horizon=horizon)


def test_at_an_origin_only_outcomes_that_were_known_are_trained_on(learning: dict[str, ModuleType]) -> None:
    rows = examples(horizon=10.0)
    assert rows.time is not None
    splits = list(learning["protocols"].rolling_splits(rows))
    assert len(splits) == 5
    for split in splits:
        assert rows.time[split.train].max() + 10.0 <= rows.time[split.test].min()
    tested = np.concatenate([split.test for split in splits])
    assert sorted(tested) == list(range(len(rows) - len(tested), len(rows))), "every row after the first origin once"


def test_rows_of_one_moment_stay_on_one_side(learning: dict[str, ModuleType]) -> None:
    rows = examples()
    tied = Examples(features=rows.features, won=rows.won, time=np.repeat(np.arange(10.0), 20))
    splits = list(learning["protocols"].rolling_splits(tied))
    assert [set(tied.time[split.test]) for split in splits] == [{5.0}, {6.0}, {7.0}, {8.0}, {9.0}]
    for split in splits:
        assert set(tied.time[split.train]).isdisjoint(tied.time[split.test])


def test_rows_of_a_lead_stay_together(learning: dict[str, ModuleType]) -> None:
    rows = examples()
    twice = Examples(features=rows.features, won=rows.won, lead=np.arange(200) // 2)
    for split in learning["protocols"].random_splits(twice, range(3)):
        assert set(twice.lead[split.train]).isdisjoint(twice.lead[split.test])
        assert len(split.train) == 140


def test_calibration_error_of_equal_probabilities_is_their_distance_to_the_rate(
    learning: dict[str, ModuleType],
) -> None:
    won = np.arange(1000) >= 700  # all wins last: bins by place in the file would be far off
    assert learning["protocols"].calibration_error(won, np.full(1000, 0.4)) == pytest.approx(0.1)
    assert learning["protocols"].calibration_error(won, won * 0.8 + 0.1) == pytest.approx(0.1)


def test_right_probabilities_show_an_error_too_where_rows_are_few(learning: dict[str, ModuleType]) -> None:
    chance_error = learning["protocols"].chance_error
    few, many = (chance_error(np.linspace(0.1, 0.9, rows)) for rows in (150, 15_000))
    assert 0.05 < few < 0.15
    assert many == pytest.approx(few / 10, rel=0.3), "it falls with the root of the rows"


def test_what_is_the_same_for_all_leads_of_a_day_ranks_none_of_them(learning: dict[str, ModuleType]) -> None:
    random = np.random.default_rng(0)
    day = np.repeat(np.arange(50), 40)
    who, level = random.normal(size=2000), np.linspace(-3, 3, 50)[day]
    won = random.random(2000) < 1 / (1 + np.exp(-level - who))
    within = learning["protocols"].auc_within
    assert within(won, level, day) == 0.5
    assert within(won, 5 * level + who, day) == pytest.approx(within(won, who, day))
    assert within(won, who, day) > 0.65
    assert np.isnan(within(np.array([True, False]), np.array([1.0, 2.0]), np.array([1, 2])))


def test_odoo_multiplies_shares_of_won_and_lost(learning: dict[str, ModuleType]) -> None:
    kind = ["a"] * 6 + ["b"] * 3 + [None]
    rows = Examples(features=pa.table({"kind": kind}), won=np.array([True, True] + [False] * 8))
    predict = learning["peers"].odoo(rows)
    won, lost = 2.1, 8.1
    w, l = won / (won + lost) * 2.1 / 2.2, lost / (won + lost) * 4.1 / 7.2  # noqa: E741
    found = predict(pa.table({"kind": ["a", None, "new"]}))
    assert found[0] == pytest.approx(round(100 * w / (w + l), 2) / 100)
    assert found[1] == found[2] == pytest.approx(round(100 * won / (won + lost), 2) / 100), "it says nothing"


@pytest.mark.parametrize("name", ["base_rate", "logistic", "odoo_quintiles", "lightgbm", "lightgbm_latest"])
def test_a_peer_takes_missing_and_new_values(learning: dict[str, ModuleType], name: str) -> None:
    predict = learning["peers"].PEERS[name](examples())
    found = predict(pa.table({"x": [0.5, None], "kind": pa.array([None, "new"], pa.string())}))
    assert found.shape == (2,)
    assert ((found > 0) & (found < 1)).all()


def test_days_are_rebuilt_from_month_and_weekday(learning: dict[str, ModuleType]) -> None:
    days = np.array(["2008-05-05", "2008-05-05", "2008-05-06", "2008-12-30", "2009-03-02"], "datetime64[D]")
    month = days.astype("datetime64[M]").astype(int) % 12 + 1
    weekday = (days.astype(int) + 3) % 7
    found = learning["datasets"]._dates(month, weekday)
    assert found[0] == found[1] == days[0].astype(int)
    assert found[2] == found[1] + 1
    assert (found.astype("datetime64[D]").astype("datetime64[M]") == days.astype("datetime64[M]")).all()
    assert ((found.astype(int) + 3) % 7 == weekday).all()


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not (DATA / "fin_german_credit").is_dir(), reason="../shared/data is absent")
def test_a_run_computes_once_and_shows_a_table(tmp_path: Path) -> None:
    command = [
        sys.executable, str(FOLDER / "run.py"), "--sets", "fin_german_credit", "--systems", "base_rate", "odoo",
        "--protocol", "random", "--seeds", "1", "--json", str(tmp_path / "cells.json"),
    ]  # fmt: skip
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    runs = [subprocess.run(command, env=environment, capture_output=True, text=True, check=True) for _ in range(2)]
    cells = json.loads((tmp_path / "cells.json").read_text())
    assert [cell["system"] for cell in cells] == ["base_rate", "odoo"]
    assert cells[0]["measured"]["auc"] == 0.5
    assert 0.6 < cells[1]["measured"]["auc"] < 0.9
    assert "fin_german_credit" in runs[0].stderr
    assert runs[1].stderr == "", "nothing is computed twice"
    assert runs[0].stdout == runs[1].stdout
    assert "| fin_german_credit |" in runs[1].stdout
