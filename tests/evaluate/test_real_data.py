"""Verdicts on real leads and on pure noise, with a black box in the place of the learned scorecard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from leadlight.evaluate.drift import watch
from leadlight.evaluate.splits import Split, out_of_time_split, random_split
from leadlight.evaluate.verdict import HeldOut, System, Verdict, judge

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.data


def read(name: str, separator: str = ",") -> pa.Table:
    if not (DATA / name).is_file():
        pytest.skip(f"../shared/data/{name} is absent")
    return csv.read_csv(DATA / name, parse_options=csv.ParseOptions(delimiter=separator))


def boosted(features: pa.Table, won: np.ndarray, split: Split) -> np.ndarray:
    """Return a black box's probabilities of the rows to judge by."""
    import lightgbm

    columns = []
    for column in features.columns:
        values = column.combine_chunks()
        coded = values if pa.types.is_floating(values.type) or pa.types.is_integer(values.type) else None
        coded = values.cast(pa.string()).dictionary_encode().indices if coded is None else coded
        columns.append(coded.cast(pa.float64()).to_numpy(zero_copy_only=False))
    x = np.column_stack(columns)
    model = lightgbm.train(
        {"objective": "binary", "num_threads": 1, "verbose": -1, "seed": 0, "learning_rate": 0.05, "num_leaves": 15},
        lightgbm.Dataset(x[split.train], won[split.train].astype(float)),
        100,
    )
    return np.asarray(model.predict(x[split.test]))


def judged(features: pa.Table, won: np.ndarray, split: Split, *, arrived: np.ndarray | None = None) -> Verdict:
    p = boosted(features, won, split)
    held_out = HeldOut(won[split.test], float(won[split.train].mean()), arrived=arrived, timed=split.timed)
    return judge(held_out, System("black box", p, p))


def test_pure_noise_is_not_better_than_the_base_rate() -> None:
    accounts = read("saas_ravenstack_synth/ravenstack_accounts.csv")
    won = np.array(accounts["churn_flag"].cast(pa.string()).to_pylist()) == "true"
    features = accounts.drop_columns(["churn_flag", "account_id", "account_name"])
    words = [judged(features, won, random_split(won, seed=seed)).better_than_base_rate.word for seed in range(5)]
    assert words == ["no"] * 5


def test_real_leads_can_be_told_apart_later_too() -> None:
    leads = read("xeducation_leads/Leads.csv.gz")
    won = leads["Converted"].to_numpy() == 1
    time = leads["Lead Number"].to_numpy().astype(float)
    split = out_of_time_split(won, time=time)
    features = leads.select(
        ["Lead Origin", "Lead Source", "TotalVisits", "Total Time Spent on Website", "Specialization"]
    )
    found = judged(features, won, split, arrived=time[split.test])
    assert found.better_than_base_rate.word == "yes"
    assert found.better_than_first_come.word == "yes"
    assert found.publishable


def test_a_market_that_turns_is_noticed() -> None:
    calls = read("uci_bank_marketing/bank-additional-full.csv.gz", ";")
    won = np.array(calls["y"].to_pylist()) == "yes"
    split = out_of_time_split(won, time=np.arange(len(won), dtype=float))
    features = calls.drop_columns(["y", "duration"])
    p = boosted(features, won, split)
    found = judge(HeldOut(won[split.test], float(won[split.train].mean())), System("black box", p, p))
    assert not found.publishable
    assert not found.calibration.calibrated
    shifts = watch(
        reference=features.take(pa.array(split.train)), recent=features.take(pa.array(split.test)),
        probability=p, won=won[split.test],
    )  # fmt: skip
    assert shifts.needs_learning
    large = [item.name for item in shifts.features if item.band == "large shift"]
    assert {"euribor3m", "month"} <= set(large)
    assert "age" not in large[:5]
    assert "the probabilities no longer hold" in str(shifts)
