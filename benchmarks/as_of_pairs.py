"""Features of 200,000 leads, each as of a moment of its own: Leadlight's statement beside polars' join by hand.

    python benchmarks/as_of_pairs.py --leads 1000000 --events 20000000

The table of (lead, as_of) pairs is what learning needs. The target is at most twice polars' time.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import THREADS, Usage, in_own_process, interleaved, measured, show, tell, write_json

os.environ.setdefault("POLARS_MAX_THREADS", str(THREADS))

import numpy as np
import polars as pl

from data import END, START, Size, add_size, prepare
from score_batch import lay_out, size_arguments
from systems import leadlight_statement

NUMBERS = (
    "pricing_views_30d", "views_90d", "docs_seconds", "longest_view", "views_trend", "opens_decayed", "clicks_30d",
    "days_since_click", "demos", "staff",
)  # fmt: skip
TEXT = "branch"
TOLERANCE = 1e-6


def main() -> None:
    """Measure, or be the process that is measured."""
    options = _options()
    size = Size(options.leads, options.events, options.root)
    pairs = size.folder / f"pairs_{options.pairs}.parquet"
    if options.run:
        _run(size, pairs, options.run, options.save)
        return
    parquet = prepare(size)
    lay_out(size, "leadlight_statement", parquet)
    lay_out(size, "polars_lazy", parquet)
    _make_pairs(parquet, pairs, options.pairs)
    saved = size.folder / "features"

    def run(system: str, repetition: int) -> Usage:
        save = ["--save", str(saved / system)] if repetition == 0 else []
        arguments = [*size_arguments(size), "--pairs", str(options.pairs), "--run", system, *save]
        return in_own_process(__file__, arguments)

    try:
        summaries = interleaved(list(SYSTEMS), options.repetitions, run)
        worst = _compare(saved)
    finally:
        shutil.rmtree(saved, ignore_errors=True)
    print(f"Both agree on every feature; largest difference {worst:.1e}.")
    title = f"{len(NUMBERS) + 1} features of {options.pairs:,} (lead, as-of) pairs over {size.events:,} events"
    show(f"{title}, {THREADS} threads", summaries, peers=["polars"])
    write_json(options.json, {"leads": size.leads, "events": size.events, "pairs": options.pairs}, summaries)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_size(parser)
    parser.add_argument("--pairs", type=int, default=200_000)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--run", choices=list(SYSTEMS), help=argparse.SUPPRESS)
    parser.add_argument("--save", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _make_pairs(parquet: Path, path: Path, count: int) -> None:
    """Draw leads that exist, each with a moment after its creation."""
    if path.exists():
        return
    leads = pl.read_parquet(parquet / "leads").select("lead", pl.col("created_at").cast(pl.Int64))
    chosen = leads.filter(pl.col("created_at") < END).sample(count, seed=20).sort("lead")
    created = np.maximum(chosen["created_at"].to_numpy(), START)
    as_of = created + (np.random.default_rng(20).random(count) * (END - created)).astype(np.int64)
    chosen.select("lead", as_of=pl.Series(as_of).cast(pl.Datetime("us"))).write_parquet(path)


def _run(size: Size, pairs: Path, system: str, save: Path | None) -> None:
    folder, work, rows = SYSTEMS[system]
    outcome, usage = measured(lambda: work(size.folder / folder, pairs))
    if save is not None:
        save.parent.mkdir(parents=True, exist_ok=True)
        rows(outcome).select("lead", *NUMBERS, TEXT).sort("lead").write_parquet(save)
    tell(usage)


def _compare(saved: Path) -> float:
    """Return the largest difference; end the program where it is too large."""
    ours, theirs = (pl.read_parquet(saved / system) for system in SYSTEMS)
    if not ours.select("lead", TEXT).equals(theirs.select("lead", TEXT)):
        raise SystemExit("the systems disagree on leads or texts")
    worst = 0.0
    for name in NUMBERS:
        left, right = ours[name].cast(pl.Float64), theirs[name].cast(pl.Float64)
        gap = (left - right).abs().max() or 0.0
        if not (left.is_null() == right.is_null()).all() or not gap < TOLERANCE:
            raise SystemExit(f"the systems disagree on {name}, by {gap}")
        worst = max(worst, float(gap))
    return worst


# ------------------------------------------------------------------------------------------------------- Leadlight


def _leadlight(folder: Path, pairs: Path) -> Any:
    engine, resolved = leadlight_statement.opened(folder)
    engine.execute(f"CREATE TEMPORARY TABLE pairs AS FROM '{pairs}'")
    statement = leadlight_statement.features(resolved, "pairs", [*NUMBERS, TEXT])
    engine.execute(f"CREATE TEMPORARY TABLE result AS {statement}")
    return engine


def _leadlight_rows(engine: Any) -> pl.DataFrame:
    return pl.DataFrame(engine.arrow("FROM result"))


# ---------------------------------------------------------------------------------------------------------- polars


def _polars(folder: Path, pairs: Path) -> pl.DataFrame:
    """By hand: each type of event joined with the pairs by lead, filtered by time, one group_by."""
    asked = pl.scan_parquet(pairs)
    at, as_of, age = pl.col("at"), pl.col("as_of"), pl.col("age")
    path, seconds = pl.col("path"), pl.col("seconds")
    days = (as_of - at).dt.total_microseconds() / 86_400_000_000

    def seen(name: str) -> pl.LazyFrame:
        joined = pl.scan_ipc(folder / f"{name}.arrow").join(asked, on="lead").filter(at <= as_of)
        return joined.with_columns(age=days)

    views = seen("page_view").select(
        "lead",
        "seconds",
        pricing_views_30d=_value((age < 30) & path.cat.starts_with("/pricing")),
        views_90d=_value(age < 90),
        docs_seconds=_value(path.cat.starts_with("/docs"), seconds.cast(pl.Float64)),
        this_week=_value(age < 7),
        last_week=_value((age >= 7) & (age < 14)),
    )
    by_type = [
        views.group_by("lead").agg(pl.exclude("lead", "seconds").sum(), longest_view=seconds.max()),
        seen("email_open").group_by("lead").agg(opens_decayed=(age * (-0.6931471805599453 / 30)).exp().sum()),
        seen("email_click").select("lead", "age", clicks_30d=_value(age < 30))
        .group_by("lead").agg(pl.col("clicks_30d").sum(), days_since_click=age.min()),
        seen("demo_request").group_by("lead").agg(demos=pl.len().cast(pl.Float64)),
    ]  # fmt: skip
    known = (
        pl.scan_ipc(folder / "attributes.arrow").select("lead", "known_at", "known_until", "employees", "industry")
        .join(asked, on="lead").filter(pl.col("known_at") <= as_of, pl.col("known_until") > as_of)
        .select("lead", staff="employees", branch="industry")
    )  # fmt: skip
    query = asked.join(known, on="lead", how="left")
    for table in by_type:
        query = query.join(table, on="lead", how="left")
    this, last = pl.col("this_week"), pl.col("last_week")
    query = query.with_columns(
        pl.col("pricing_views_30d", "views_90d", "docs_seconds", "opens_decayed", "clicks_30d", "demos").fill_null(0.0),
        views_trend=pl.when(this + last > 0).then((this - last) / (this + last)),
    )
    return query.select("lead", "as_of", *NUMBERS, TEXT).collect(engine="streaming")


def _value(condition: pl.Expr, value: pl.Expr | float = 1.0) -> pl.Expr:
    return pl.when(condition).then(value).otherwise(0.0)


def _polars_rows(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


SYSTEMS: dict[str, tuple[str, Callable[[Path, Path], Any], Callable[[Any], pl.DataFrame]]] = {
    "leadlight": ("leadlight_statement", _leadlight, _leadlight_rows),
    "polars": ("polars_lazy", _polars, _polars_rows),
}
"""System → its folder, its work, and how to read what it made."""


if __name__ == "__main__":
    main()
