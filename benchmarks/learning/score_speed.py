"""Score a million leads of 60 features: a learned scorecard with all its contributions, beside 300 boosted trees.

    python benchmarks/learning/score_speed.py --leads 1000000

The scorecard is learned from 40,000 made-up leads with all 60 features and its pairs, written as YAML, and run as the
statement Leadlight compiles, over its own store in DuckDB; the result (every contribution, the score) is kept in a
table in memory. LightGBM has 300 trees of 31 leaves from the same leads and reads a ready matrix of numbers; the making
of that, categories encoded, is not counted. Its contributions (`pred_contrib`) are computed for `--sample` leads and
scaled up: for all of them it would take an hour. Each repetition is a process of its own and the systems take turns;
the clock starts when modules are imported and covers opening the files. What was made is kept in `--root`; remove that
to learn anew.
"""

from __future__ import annotations

import argparse
import os
import pickle
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).parents[1]))

import lightgbm
import numpy as np
import pyarrow as pa
from simulated import numbers, simulated

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.features.moment import Moment
from leadlight.learn.fit import fit
from leadlight.learn.points import tables_to_groups
from leadlight.learn.write import scorecard_text
from leadlight.scorecards.compile import score_statement
from leadlight.spec.load import load_workspace
from leadlight.spec.models import GroupSpec, ScorecardSpec
from leadlight.spec.resolve import resolve
from leadlight.store.names import catalog, record
from leadlight.store.open import open_store
from measure import MEMORY, THREADS, Summary, Usage, in_own_process, interleaved, measured, show, tell

CREATED, AS_OF, FOREVER = datetime(2026, 1, 1), datetime(2026, 6, 30), datetime(9999, 12, 31)
LEARNED_FROM = 40_000
TREES = 300
CHUNK = 250_000
CHECKED = 10_000
POINTS = 20 / np.log(2)
WORKSPACE = "entity: lead\nstore: duckdb:store.duckdb\n"


def main() -> None:
    """Measure, or be the process that is measured."""
    options = _options()
    folder = options.root / str(options.leads)
    if options.run:
        tell(measured(SYSTEMS[options.run](folder, options.sample))[1])
        return
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _prepare(folder, options.leads)
    print(f"{CHECKED:,} scores are within {_difference(folder):.3f} points of the tables they were made from")

    def run(system: str, _: int) -> Usage:
        arguments = ["--run", system, "--leads", str(options.leads), "--sample", str(options.sample)]
        return in_own_process(__file__, [*arguments, "--root", str(options.root)])

    summaries = interleaved(options.systems, options.repetitions, run)
    scaled = [_scaled(item, options.leads / options.sample) for item in summaries]
    peers = ["lightgbm"] if "lightgbm" in options.systems else list(options.systems)
    show(f"{options.leads:,} leads, 60 features, {THREADS} threads", scaled, peers=peers)
    print(f"lightgbm_contributions: measured on {options.sample:,} leads, times {options.leads / options.sample:,.0f}.")


def leadlight(folder: Path) -> tuple[DuckDBEngine, int]:
    """Open the store, compile, run; every criterion's points and the score are kept in a temporary table."""
    engine = open_store("duckdb:store.duckdb", folder, read_only=True)
    engine.execute(f"SET threads = {THREADS}")
    engine.execute(f"SET memory_limit = '{MEMORY}'")
    resolved, faults = resolve(load_workspace(folder), catalog(engine))
    assert resolved is not None, faults
    card = resolved.scorecards["learned"]
    columns = ", ".join(["lead", *(criterion.key for criterion in card.criteria), "score"])
    statement = score_statement(resolved, card, Moment(AS_OF)).sql("duckdb")
    engine.execute(f"CREATE TEMPORARY TABLE result AS SELECT {columns} FROM ({statement})")
    return engine, len(card.criteria)


def boosted(folder: Path) -> np.ndarray:
    """Read the trees and the matrix, and predict."""
    return _trees(folder).predict(np.load(folder / "matrix.npy"), num_threads=THREADS)


def boosted_contributions(folder: Path, sample: int) -> Callable[[], np.ndarray]:
    """Open the trees and some leads' rows, which shall not be scaled up, and return what is left to do."""
    trees, rows = _trees(folder), np.load(folder / "matrix.npy", mmap_mode="r")[:sample].copy()
    trees.predict(rows[:1])
    return lambda: trees.predict(rows, pred_contrib=True, num_threads=THREADS)


SYSTEMS: dict[str, Callable[[Path, int], Callable[[], object]]] = {
    "leadlight": lambda folder, _: lambda: leadlight(folder),
    "lightgbm": lambda folder, _: lambda: boosted(folder),
    "lightgbm_contributions": boosted_contributions,
}
"""What each does when the clock runs."""


def _trees(folder: Path) -> lightgbm.Booster:
    return lightgbm.Booster(model_file=folder / "trees.txt")


def _scaled(item: Summary, times: float) -> Summary:
    """Return what all leads would take, where only some were measured."""
    return (
        replace(item, wall=item.wall * times, cpu=item.cpu * times) if item.system.endswith("contributions") else item
    )


def _prepare(folder: Path, leads: int) -> None:
    """Learn both from some leads, once for any number; lay all leads out in the store and as a matrix."""
    learned = folder.parent / "learned"
    if not (learned / "trees.txt").exists():
        _learn(learned)
    shutil.copytree(learned, folder)
    rows = simulated(leads, seed=1).features
    tables = pickle.loads((folder / "tables.pickle").read_bytes())
    np.save(folder / "points.npy", tables.log_odds(rows.slice(0, CHECKED)) * POINTS)
    np.save(folder / "matrix.npy", numbers(rows))
    _fill(folder, rows)
    (folder / "done").touch()


def _learn(folder: Path) -> None:
    """Fit tables, written as a workspace with one scorecard, and trees."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "scorecards").mkdir(parents=True)
    known = simulated(LEARNED_FROM, seed=1)
    tables = fit(known).tables
    base, criteria = tables_to_groups(tables, double_odds=20.0)
    card = ScorecardSpec(base=base, groups={"all": GroupSpec(criteria=criteria)})
    (folder / "scorecards" / "learned.yaml").write_text(scorecard_text(card))
    (folder / "leadlight.yaml").write_text(WORKSPACE)
    (folder / "tables.pickle").write_bytes(pickle.dumps(tables))
    pairs = sum(len(term.features) == 2 for term in tables.terms)
    print(f"Learned {len(criteria)} criteria from {len(tables.features)} features, {pairs} of them pairs", flush=True)
    texts = [place for place, name in enumerate(known.names) if name.startswith("text")]
    rows = lightgbm.Dataset(numbers(known.features), known.won, categorical_feature=texts)
    settings = {"objective": "binary", "learning_rate": 0.05, "num_threads": THREADS, "verbosity": -1}
    lightgbm.train(settings, rows, TREES).save_model(folder / "trees.txt")


def _fill(folder: Path, rows: pa.Table) -> None:
    """Write the store's tables as an ingest leaves them: one row of attributes per lead, since its creation."""
    engine = open_store("duckdb:store.duckdb", folder, create=True)
    kinds = {field.name: _kind(field.type) for field in rows.schema}
    record(engine, "attribute", "crm", kinds)
    for name, kind in kinds.items():
        engine.execute(f"ALTER TABLE attributes ADD COLUMN {name} {engine.capabilities.types[kind]}")
    for first in range(0, rows.num_rows, CHUNK):
        some = rows.slice(first, CHUNK)
        lead = pa.array(np.arange(first, first + some.num_rows), pa.int32())
        created, until = (pa.repeat(pa.scalar(at, pa.timestamp("us")), len(lead)) for at in (CREATED, FOREVER))
        ids = pa.array(np.char.add("L", np.arange(first, first + len(lead)).astype("U9")))
        columns = {"lead": lead, "known_at": created, "known_until": until}
        columns |= {name: some.column(name) for name in some.column_names}
        _insert(engine, "leads", pa.table({"lead": lead, "id": ids, "created_at": created}))
        _insert(engine, "attributes", pa.table(columns))
    engine.execute("INSERT INTO ids SELECT id, lead, lead FROM leads")
    engine.close()


def _insert(engine: DuckDBEngine, table: str, rows: pa.Table) -> None:
    engine.connection.register("rows_to_add", rows)
    engine.execute(f"INSERT INTO {table} BY NAME FROM rows_to_add")
    engine.connection.unregister("rows_to_add")


def _kind(type_: pa.DataType) -> Type:
    if pa.types.is_boolean(type_):
        return Type.BOOL
    return Type.NUMBER if pa.types.is_floating(type_) else Type.TEXT


def _difference(folder: Path) -> float:
    """Return how far scores in the store are from what the tables give, in points (the file rounds them)."""
    engine, _ = leadlight(folder)
    query = f"SELECT score FROM result WHERE lead < {CHECKED} ORDER BY lead"
    found = engine.connection.execute(query).fetchnumpy()["score"]
    return float(np.abs(found - np.load(folder / "points.npy")[: len(found)]).max())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=5_000, help="leads for LightGBM's contributions")
    parser.add_argument("--systems", nargs="+", choices=list(SYSTEMS), default=list(SYSTEMS))
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--root", type=Path, default=Path(tempfile.gettempdir()) / "leadlight-learning" / "speed")
    parser.add_argument("--run", choices=list(SYSTEMS), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
