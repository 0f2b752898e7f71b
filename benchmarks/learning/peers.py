"""The learners that Leadlight is held against, each `fit(examples)` → `predict(features)` → probability of a win.

All use two threads, hold out 15 % of the rows at random to stop early where they stop early, and get missing values and
categories in the way their own documentation recommends.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from protocols import Judged

from leadlight.learn.examples import Examples

Floats = NDArray[np.float64]
Predict = Callable[[pa.Table], Floats | Judged]
Fit = Callable[[Examples], Predict]

THREADS = 2
SEED = 0
HELD_OUT = 0.15
"""The share of rows that decides when boosting stops."""


def base_rate(examples: Examples) -> Predict:
    """Say the same of all: the share of wins so far."""
    rate = examples.won.mean()
    return lambda features: np.full(features.num_rows, rate)


def logistic(examples: Examples) -> Predict:
    """Logistic regression: numbers standardised, with the median and an indicator for missing; categories one-hot,
    those seen less than 10 times together and at most 300 of them.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    texts, numbers = _texts(examples.features), _numbers(examples.features)
    seen = [name for name in numbers if examples.features.column(name).null_count < len(examples)]
    number = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    text = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10, max_categories=300)
    columns = ColumnTransformer([("number", number, seen), ("text", text, texts)])
    model = make_pipeline(columns, LogisticRegression(max_iter=2000))
    model.fit(_frame(examples.features), examples.won)
    return lambda features: model.predict_proba(_frame(features))[:, 1]


def odoo(examples: Examples) -> Predict:
    """Odoo's predictive lead scoring: naive Bayes over categories, as in its source.

    0.1 is added to every count, a value that is missing or new says nothing, numbers are no variables at all, and the
    result is rounded to 2 places of a per cent and kept within 0.01 and 99.99 %. One team, no stages, no tags.
    """
    won, lost = examples.wins + 0.1, len(examples) - examples.wins + 0.1
    tables = {name: _odoo_table(examples, name) for name in _texts(examples.features, bools=True)}

    def predict(features: pa.Table) -> Floats:
        odds = np.full((2, features.num_rows), [[won / (won + lost)], [lost / (won + lost)]])
        for name, (values, shares) in tables.items():
            place = pc.index_in(_text(features.column(name)), values).to_numpy(zero_copy_only=False).astype(float)
            known = ~np.isnan(place)
            odds[:, known] *= shares[:, place[known].astype(int)]
        share = np.round(100 * odds[0] / odds.sum(axis=0), 2)
        return np.clip(share, 0.01, 99.99) / 100

    return predict


def odoo_quintiles(examples: Examples) -> Predict:
    """Return the same with numbers cut at their quintiles into categories, which Odoo does not do."""
    cuts = {
        name: np.unique(np.nanquantile(_as_floats(examples.features.column(name)), [0.2, 0.4, 0.6, 0.8]))
        for name in _doubles(examples.features)
        if examples.features.column(name).null_count < len(examples)
    }

    def cut(features: pa.Table) -> pa.Table:
        for name, at in cuts.items():
            values = _as_floats(features.column(name))
            bands = pa.array(np.searchsorted(at, values, side="right").astype(str), mask=np.isnan(values))
            features = features.set_column(features.column_names.index(name), name, bands)
        return features

    predict = odoo(Examples(features=cut(examples.features), won=examples.won))
    return lambda features: predict(cut(features))


def lightgbm(examples: Examples) -> Predict:
    """LightGBM as it comes, learning rate 0.05, its own handling of categories, stopped by 50 rounds without gain."""
    return _lightgbm(examples, _held_out(examples))


def lightgbm_latest(examples: Examples) -> Predict:
    """Return the same, stopped by the latest 15 % of the rows instead of random ones, where there is time."""
    if examples.time is None:
        return lightgbm(examples)
    order = np.argsort(examples.time, kind="stable")
    latest = np.zeros(len(examples), bool)
    latest[order[int(len(order) * (1 - HELD_OUT)) :]] = True
    return _lightgbm(examples, latest if 0 < examples.won[latest].mean() < 1 else _held_out(examples))


def catboost(examples: Examples) -> Predict:
    """CatBoost as it comes, at most 500 trees, its own handling of categories, stopped after 50 without gain."""
    from catboost import CatBoostClassifier, Pool

    texts, held = _texts(examples.features), _held_out(examples)
    rows = _frame(examples.features)
    model = CatBoostClassifier(
        iterations=500, early_stopping_rounds=50, thread_count=THREADS, random_seed=SEED, verbose=False,
        allow_writing_files=False,
    )  # fmt: skip
    model.fit(
        Pool(rows[~held], examples.won[~held].astype(int), cat_features=texts),
        eval_set=Pool(rows[held], examples.won[held].astype(int), cat_features=texts),
    )
    return lambda features: model.predict_proba(Pool(_frame(features), cat_features=texts))[:, 1]


def ebm(examples: Examples) -> Predict:
    """Explainable boosting of interpret-core: 4 bags, 64 bands, 32 a side in pairs, as many pairs as features.

    Categories seen less than 10 times are one, and pairs of more than 4,096 cells are not tried: with thousands of
    categories it would take an hour.
    """
    from interpret.glassbox import ExplainableBoostingClassifier

    texts = _texts(examples.features)
    common = {name: _common(examples.features.column(name)) for name in texts}
    cells = [len(common[name]) if name in common else 32 for name in examples.names]
    wide = [(i, j) for i, one in enumerate(cells) for j, two in enumerate(cells[:i]) if one * two > 4096]
    model = ExplainableBoostingClassifier(
        feature_names=examples.names, outer_bags=4, max_bins=64, max_interaction_bins=32, interactions="1x",
        validation_size=HELD_OUT, n_jobs=THREADS, random_state=SEED, exclude=wide,
        feature_types=["nominal" if name in texts else "continuous" for name in examples.names],
    )  # fmt: skip

    def frame(features: pa.Table) -> pd.DataFrame:
        rows = _frame(features)
        return rows.assign(**{name: rows[name].where(rows[name].isin(common[name]), "rare") for name in texts})

    model.fit(frame(examples.features), examples.won)
    return lambda features: model.predict_proba(frame(features))[:, 1]


PEERS: dict[str, Fit] = {
    "base_rate": base_rate,
    "logistic": logistic,
    "odoo": odoo,
    "odoo_quintiles": odoo_quintiles,
    "lightgbm": lightgbm,
    "lightgbm_latest": lightgbm_latest,
    "catboost": catboost,
    "ebm": ebm,
}
"""Every peer by name; `base_rate` is the floor."""
PACKAGES = {"logistic": "scikit-learn", "lightgbm": "lightgbm", "catboost": "catboost", "ebm": "interpret-core"}


def code_version(name: str) -> str:
    """Return what changes when a peer's own code, what it shares with others, or its package changes."""
    package = PACKAGES.get(name.removesuffix("_latest"))
    own = [PEERS[name], *SHARED, *((odoo,) if name.startswith("odoo") else ())]
    text = "".join(inspect.getsource(function) for function in own) + (version(package) if package else "")
    if name.startswith("lightgbm"):
        text += inspect.getsource(_lightgbm)
    if name == "ebm":
        text += inspect.getsource(_common)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _lightgbm(examples: Examples, held: NDArray[np.bool_]) -> Predict:
    import lightgbm as lgb

    encode = _encoder(examples.features)
    rows, texts = encode(examples.features), _texts(examples.features)
    train = lgb.Dataset(
        rows[~held], examples.won[~held], feature_name="auto", free_raw_data=False,
        categorical_feature=[examples.names.index(name) for name in texts],
    )  # fmt: skip
    settings = {"objective": "binary", "learning_rate": 0.05, "num_threads": THREADS, "seed": SEED, "verbosity": -1}
    stop = lgb.early_stopping(50, verbose=False)
    valid = train.create_valid(rows[held], examples.won[held])
    model = lgb.train(settings, train, 2000, valid_sets=[valid], callbacks=[stop])
    return lambda features: model.predict(encode(features), num_threads=THREADS)


def _held_out(examples: Examples) -> NDArray[np.bool_]:
    """Return 15 % of the rows at random, of the won and of the lost alike."""
    held = np.zeros(len(examples), bool)
    random = np.random.default_rng(SEED)
    for rows in (np.flatnonzero(examples.won), np.flatnonzero(~examples.won)):
        held[random.permutation(rows)[: max(1, round(len(rows) * HELD_OUT))]] = True
    return held


def _odoo_table(examples: Examples, name: str) -> tuple[pa.Array, Floats]:
    """Return the values of a variable, and the share of all won and all lost (rows) that have each (columns)."""
    coded = _text(examples.features.column(name)).dictionary_encode()
    codes = coded.indices.to_numpy(zero_copy_only=False).astype(float)
    known = ~np.isnan(codes)
    rows = [codes[known & (examples.won == outcome)].astype(int) for outcome in (True, False)]
    counts = np.stack([np.bincount(row, minlength=len(coded.dictionary)) + 0.1 for row in rows])
    return coded.dictionary, counts / counts.sum(axis=1, keepdims=True)


def _encoder(known: pa.Table) -> Callable[[pa.Table], Floats]:
    """Return what turns features into numbers: texts by their place among those known, NaN where missing or new."""
    texts = {name: pc.unique(known.column(name)).drop_null() for name in _texts(known)}

    def encode(features: pa.Table) -> Floats:
        columns = (
            pc.index_in(features.column(name), texts[name]) if name in texts else features.column(name)
            for name in known.column_names
        )
        return np.column_stack([_as_floats(column) for column in columns])

    return encode


def _frame(features: pa.Table) -> pd.DataFrame:
    """Return features for libraries that want pandas: a missing text is the text `missing`."""
    texts = set(_texts(features))
    return pd.DataFrame(
        {
            name: features.column(name).fill_null("missing").to_pandas().astype(object)
            if name in texts
            else _as_floats(features.column(name))
            for name in features.column_names
        }
    )


def _common(column: pa.ChunkedArray) -> list[str]:
    """Return the values seen at least 10 times, the missing one as `missing`."""
    counts = column.fill_null("missing").combine_chunks().value_counts()
    return [item["values"].as_py() for item in counts if item["counts"].as_py() >= 10]


def _as_floats(column: pa.ChunkedArray) -> Floats:
    return column.cast(pa.float64()).to_numpy()


def _text(column: pa.ChunkedArray) -> pa.Array:
    return column.cast(pa.string()).combine_chunks()


def _texts(features: pa.Table, *, bools: bool = False) -> list[str]:
    """Return the names of the texts, and of the bools where asked for."""
    kinds = (pa.types.is_string, pa.types.is_boolean) if bools else (pa.types.is_string,)
    return [field.name for field in features.schema if any(kind(field.type) for kind in kinds)]


def _numbers(features: pa.Table) -> list[str]:
    return [name for name in features.column_names if name not in set(_texts(features))]


def _doubles(features: pa.Table) -> list[str]:
    return [field.name for field in features.schema if pa.types.is_floating(field.type)]


SHARED = (_held_out, _odoo_table, _encoder, _frame, _as_floats, _text, _texts, _numbers, _doubles)
