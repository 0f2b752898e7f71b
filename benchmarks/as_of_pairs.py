"""Features of 200,000 leads, each as of a moment of its own: Leadlight's statement beside polars' joins by hand.

    python benchmarks/as_of_pairs.py --leads 1000000 --events 20000000

The table of (lead, as_of) pairs is what learning needs. The target is at most twice the time of polars' join with the
table of events; polars with a file per type of event, laid out for this very question, is shown too.
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

from data import END, START, TYPES, Size, add_size, prepare
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
    _lay_out_events(parquet, size.folder / "polars_events")
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
    print(f"All agree on every feature; largest difference {worst:.1e}.")
    title = f"{len(NUMBERS) + 1} features of {options.pairs:,} (lead, as-of) pairs over {size.events:,} events"
    show(f"{title}, {THREADS} threads", summaries, peers=["polars", "polars_by_type"])
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
    ours, *others = (pl.read_parquet(saved / system) for system in SYSTEMS)
    return max(_difference(ours, theirs) for theirs in others)


def _difference(ours: pl.DataFrame, theirs: pl.DataFrame) -> float:
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


AT, AS_OF, AGE = pl.col("at"), pl.col("as_of"), pl.col("age")
DAYS = (AS_OF - AT).dt.total_microseconds() / 86_400_000_000
SUMS = ("pricing_views_30d", "views_90d", "docs_seconds", "opens_decayed", "clicks_30d", "demos")


def _lay_out_events(parquet: Path, folder: Path) -> None:
    """Write the events that can count in one Arrow file, sorted by (lead, at), types as an enum."""
    if folder.exists():
        return
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    events = pl.scan_parquet(parquet / "events" / "*.parquet").with_columns(
        pl.col("type").cast(pl.String).cast(pl.Enum(list(TYPES))), pl.col("seconds").cast(pl.Float32)
    )
    events.sink_ipc(part / "events.arrow", compression="uncompressed", maintain_order=True)
    part.rename(folder)


def _polars(folder: Path, pairs: Path) -> pl.DataFrame:
    """By hand: events filtered by type, joined with the pairs by lead, filtered by time, one group_by."""
    kinds = {name: pl.col("type") == name for name in ("page_view", "email_open", "email_click", "demo_request")}
    view, click = kinds["page_view"], kinds["email_click"]
    asked = pl.scan_parquet(pairs)
    seen = pl.scan_ipc(folder / "events.arrow").filter(pl.col("type").is_in(list(kinds))).join(asked, on="lead")
    values = seen.filter(AT <= AS_OF).with_columns(age=DAYS).select(
        "lead",
        **{name: _value(view & condition, value) for name, (condition, value) in _views().items()},
        longest_view=pl.when(view).then("seconds"),
        opens_decayed=_value(kinds["email_open"], _decay()),
        clicks_30d=_value(click & (AGE < 30)),
        days_since_click=pl.when(click).then(AGE),
        demos=_value(kinds["demo_request"]),
    )  # fmt: skip
    extremes = ("longest_view", "days_since_click")
    summed = values.group_by("lead").agg(
        pl.exclude("lead", *extremes).sum(), pl.col("longest_view").max(), pl.col("days_since_click").min()
    )
    return _finished(folder.with_name("polars_lazy"), asked, [summed])


def _polars_by_type(folder: Path, pairs: Path) -> pl.DataFrame:
    """By hand, from a file per type of event: each joined with the pairs, filtered by time, grouped."""
    asked = pl.scan_parquet(pairs)

    def seen(name: str) -> pl.LazyFrame:
        return pl.scan_ipc(folder / f"{name}.arrow").join(asked, on="lead").filter(AT <= AS_OF).with_columns(age=DAYS)

    views = seen("page_view").select(
        "lead", "seconds", **{name: _value(condition, value) for name, (condition, value) in _views().items()}
    )
    clicks = seen("email_click").select("lead", "age", clicks_30d=_value(AGE < 30))
    tables = [
        views.group_by("lead").agg(pl.exclude("lead", "seconds").sum(), longest_view=pl.col("seconds").max()),
        seen("email_open").group_by("lead").agg(opens_decayed=_decay().sum()),
        clicks.group_by("lead").agg(pl.col("clicks_30d").sum(), days_since_click=AGE.min()),
        seen("demo_request").group_by("lead").agg(demos=pl.len().cast(pl.Float64)),
    ]
    return _finished(folder, asked, tables)


def _views() -> dict[str, tuple[pl.Expr, pl.Expr | float]]:
    """Return what is summed over page views: which of them, and what each adds."""
    path = pl.col("path")
    return {
        "pricing_views_30d": ((AGE < 30) & path.cat.starts_with("/pricing"), 1.0),
        "views_90d": (AGE < 90, 1.0),
        "docs_seconds": (path.cat.starts_with("/docs"), pl.col("seconds").cast(pl.Float64)),
        "this_week": (AGE < 7, 1.0),
        "last_week": ((AGE >= 7) & (AGE < 14), 1.0),
    }


def _decay() -> pl.Expr:
    return (AGE * (-0.6931471805599453 / 30)).exp()


def _finished(folder: Path, asked: pl.LazyFrame, tables: list[pl.LazyFrame]) -> pl.DataFrame:
    """Join the attributes known at each pair's moment and what the events gave; run it all."""
    known = (
        pl.scan_ipc(folder / "attributes.arrow").select("lead", "known_at", "known_until", "employees", "industry")
        .join(asked, on="lead").filter(pl.col("known_at") <= AS_OF, pl.col("known_until") > AS_OF)
        .select("lead", staff="employees", branch="industry")
    )  # fmt: skip
    query = asked.join(known, on="lead", how="left")
    for table in tables:
        query = query.join(table, on="lead", how="left")
    this, last = pl.col("this_week"), pl.col("last_week")
    query = query.with_columns(
        pl.col(*SUMS).fill_null(0.0),
        views_trend=pl.when(this + last > 0).then((this - last) / (this + last)),
    )
    return query.select("lead", "as_of", *NUMBERS, TEXT).collect(engine="streaming")


def _value(condition: pl.Expr, value: pl.Expr | float = 1.0) -> pl.Expr:
    return pl.when(condition).then(value).otherwise(0.0)


def _polars_rows(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


SYSTEMS: dict[str, tuple[str, Callable[[Path, Path], Any], Callable[[Any], pl.DataFrame]]] = {
    "leadlight": ("leadlight_statement", _leadlight, _leadlight_rows),
    "polars": ("polars_events", _polars, _polars_rows),
    "polars_by_type": ("polars_lazy", _polars_by_type, _polars_rows),
}
"""System → its folder, its work, and how to read what it made."""


if __name__ == "__main__":
    main()
