"""The best ranking that can be had from what is seen: trees taught the true probabilities themselves, of other worlds.

The truth of a simulated world knows hidden intent, which no column tells. So the tenth that the truth ranks first is
out of reach for all. Somebody who is told the true probability of thousands of leads of other worlds, beside
everything that a learner may look at, knows the rules as well as they can be known from outside: what such a one finds
is what a learner, who sees outcomes only, can be asked for.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadlight.learn.candidates import candidates
from leadlight.learn.training import EXCLUDED, Rows, features_at, resolve_candidates
from leadlight.simulate.run import simulate
from leadlight.simulate.world import UNTIL
from leadlight.templates.init import init
from leadlight.workspace import Workspace

Floats = NDArray[np.float64]
PLANTED = ("last_activity_result", "lead_quality", "record_no")
"""Columns of the demo's leads that know the outcome or the day."""
FIRST_SEED = 101
"""Worlds to learn the rules from have these seeds, those to judge by have small ones."""
RARE = 40
OPTIONS: dict[str, Any] = {
    "objective": "cross_entropy", "learning_rate": 0.03, "num_leaves": 31, "min_data_in_leaf": 50, "lambda_l2": 5.0,
    "feature_fraction": 0.4, "bagging_fraction": 0.8, "bagging_freq": 1, "verbose": -1, "num_threads": 1, "seed": 1,
}  # fmt: skip
MOST_ROUNDS, PATIENCE = 2_000, 60


@dataclass(frozen=True, slots=True)
class Open:
    """The leads open on the last day: ids, what is seen of them, and their true probabilities."""

    id: list[str]
    features: pa.Table
    true: Floats


@dataclass(frozen=True, slots=True)
class Seer:
    """Trees that were taught the truth."""

    booster: Any
    names: list[str]
    categories: dict[str, pa.Array]

    def score(self, features: pa.Table) -> Floats:
        """Return what is to be expected of each lead by what is seen."""
        return np.asarray(self.booster.predict(self.matrix(features)), np.float64)

    def matrix(self, features: pa.Table) -> Floats:
        """Return features as numbers: a text by its place among those known, missing where there is none."""
        return _matrix(features, self.names, self.categories)


def made(root: Path, seed: int, leads: int, *, learn: str = "") -> Workspace:
    """Simulate a world into a folder and read it; `learn` goes into leadlight.yaml under that key."""
    init(root, template="demo")
    if learn:
        with (root / "leadlight.yaml").open("a", encoding="utf-8") as file:
            file.write(f"\nlearn: {learn}\n")
    simulate(root / "data", leads=leads, seed=seed)
    workspace = Workspace(root, now=lambda: UNTIL + timedelta(days=1))
    workspace.ingest()
    return workspace


def truth_of(workspace: Workspace) -> dict[str, float]:
    """Return the true probability of each lead that is open on the last day and no bot."""
    query = "SELECT lead_id, probability FROM read_parquet(?) WHERE as_of = ? AND NOT is_bot"
    with duckdb.connect(config={"threads": 1}) as connection:
        path = str(workspace.root / "data" / "truth.parquet")
        return dict(connection.execute(query, [path, UNTIL]).fetchall())


def open_leads(workspace: Workspace) -> Open:
    """Return the open leads with every candidate feature as of the last day."""
    truth = truth_of(workspace)
    with workspace.store() as engine:
        resolved = workspace._ready(engine)
        found = candidates(engine, resolved)
        own = resolve_candidates(resolved, found)
        names = [item.name for item in found if item.spec is None or item.name in own]
        known = [(lead, id_) for lead, id_ in engine.rows("SELECT lead, id FROM leads ORDER BY lead") if id_ in truth]
        lead = np.array([lead for lead, _ in known], np.int64)
        none, yes = np.zeros(len(lead)), np.ones(len(lead), np.bool_)
        rows = Rows(lead, pa.array([UNTIL] * len(lead), pa.timestamp("us")), yes, none, none, none, yes, True)
        table = features_at(engine, resolved.with_features(own), names, rows)
    ids = [id_ for _, id_ in known]
    return Open(ids, table.drop_columns([EXCLUDED]), np.array([truth[id_] for id_ in ids]))


def seer(worlds: int, leads: int) -> Seer:
    """Teach trees the truth of so many other worlds, the last of which says when to stop."""
    import lightgbm

    found = []
    for seed in range(FIRST_SEED, FIRST_SEED + worlds):
        with tempfile.TemporaryDirectory() as place:
            found.append(open_leads(made(Path(place) / "world", seed, leads)))
    names = sorted(set.intersection(*(set(world.features.column_names) for world in found)) - {*PLANTED})
    texts = {name: found[0].features.column(name) for name in names}
    categories = {name: _common(text) for name, text in texts.items() if pa.types.is_string(text.type)}
    names = [name for name in names if name not in categories or len(categories[name])]
    parts = [_matrix(world.features, names, categories) for world in found]
    codes = [place for place, name in enumerate(names) if name in categories]
    sets = [
        lightgbm.Dataset(matrix, true, categorical_feature=codes, free_raw_data=False)
        for matrix, true in (
            (np.vstack(parts[:-1]), np.concatenate([world.true for world in found[:-1]])),
            (parts[-1], found[-1].true),
        )
    ]
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    booster = lightgbm.train(OPTIONS, sets[0], MOST_ROUNDS, valid_sets=[sets[1]], callbacks=[stop])
    return Seer(booster, names, categories)


def _common(column: pa.ChunkedArray) -> pa.Array:
    counts = pc.value_counts(column.drop_null()).to_pylist()
    return pa.array([row["values"] for row in counts if row["counts"] >= RARE], pa.string())


def _matrix(features: pa.Table, names: list[str], categories: dict[str, pa.Array]) -> Floats:
    columns = []
    for name in names:
        if name not in features.column_names:  # another world has other common values, and so other features
            columns.append(np.full(features.num_rows, np.nan))
            continue
        column = features.column(name).combine_chunks()
        if name in categories:
            column = pc.index_in(column, categories[name], skip_nulls=True)
        columns.append(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    return np.column_stack(columns)
