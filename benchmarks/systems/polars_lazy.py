"""polars, lazy and streaming, from uncompressed Arrow files: one per type of event, sorted by (lead, at).

Measured as the best: a file per type 3.8 CPU seconds where one file of all events takes 5.2; its in-memory engine 7.9.
"""

from __future__ import annotations

import os
from pathlib import Path

from measure import THREADS

os.environ.setdefault("POLARS_MAX_THREADS", str(THREADS))

import polars as pl

from data import AS_OF
from result import CRITERIA, ENGAGEMENT, FIT, Scores

COUNTING = [
    "page_view", "email_open", "email_click", "demo_request", "form_submit", "webinar_attended", "unsubscribe",
]  # fmt: skip


def layout(parquet: Path, folder: Path) -> None:
    """Write Arrow files, those of events one per type that can count, without the columns it does not have."""
    for table in ("leads", "attributes"):
        pl.read_parquet(parquet / table).write_ipc(folder / f"{table}.arrow", compression="uncompressed")
    events = pl.scan_parquet(parquet / "events" / "*.parquet").with_columns(pl.col("seconds").cast(pl.Float32))
    for name in COUNTING:
        page = ["path", "seconds"] if name == "page_view" else []
        chosen = events.filter(pl.col("type").cast(pl.String) == name).select("lead", "at", *page)
        chosen.sink_ipc(folder / f"{name}.arrow", compression="uncompressed", maintain_order=True)


def score(folder: Path) -> pl.DataFrame:
    """Score everybody; the result is a frame in memory."""
    leads = pl.scan_ipc(folder / "leads.arrow").filter(pl.col("created_at") <= AS_OF).select("lead")
    attributes = pl.scan_ipc(folder / "attributes.arrow").filter(
        pl.col("known_at") <= AS_OF, pl.col("known_until") > AS_OF
    )
    points = leads.join(attributes.select("lead", "email_domain", *_fit()), on="lead", how="left")
    for sums in _events(folder):
        points = points.join(sums, on="lead", how="left")
    points = points.with_columns(*_engagement())
    fit, engagement = pl.sum_horizontal(*FIT), pl.sum_horizontal(*ENGAGEMENT)
    totals = points.with_columns(fit=fit.clip(-60, 70), engagement=engagement.clip(-20, 60))
    query = totals.select(
        "lead", *CRITERIA, "fit", "engagement",
        fit_cap=pl.col("fit") - fit,
        engagement_cap=pl.col("engagement") - engagement,
        score=5 + pl.col("fit") + pl.col("engagement"),
        grade=_grade(),
    )  # fmt: skip
    return query.collect(engine="streaming")


def _events(folder: Path) -> list[pl.LazyFrame]:
    """Return a table per type of event, with one row per lead that has such events."""
    path, at, age = pl.col("path"), pl.col("at"), pl.col("age")
    days = (AS_OF - at).dt.total_microseconds() / 86_400_000_000

    def summed(name: str, **values: pl.Expr) -> pl.LazyFrame:
        events = pl.scan_ipc(folder / f"{name}.arrow").filter(at <= AS_OF).with_columns(age=days)
        return events.select("lead", **values).group_by("lead").agg(pl.exclude("lead").sum())

    views = summed(
        "page_view",
        pricing=_value(path.cat.starts_with("/pricing"), _decay(age, 14)),
        visits=_value(age < 30),
        stories=_value(path.cat.starts_with("/customers"), _decay(age, 30)),
        docs=_value((age < 90) & (pl.col("seconds") >= 60) & path.cat.starts_with("/docs")),
        jobs=_value((age < 180) & path.cat.starts_with("/careers")),
    )
    sent = pl.scan_ipc(folder / "form_submit.arrow").filter(at <= AS_OF)
    return [
        views,
        summed("email_open", opens=_decay(age, 30)),
        summed("email_click", clicks=_decay(age, 21), week=_value(age < 7)),
        summed("demo_request", demo=_value(age < 30)),
        sent.group_by("lead").agg(forms=_decay(days.top_k(3), 60).sum()),
        summed("webinar_attended", webinars=_value(age < 90)),
        summed("unsubscribe", left=pl.lit(1.0)),
    ]


def _value(condition: pl.Expr, value: pl.Expr | float = 1.0) -> pl.Expr:
    return pl.when(condition).then(value).otherwise(0.0)


def _decay(age: pl.Expr, half_life: float) -> pl.Expr:
    return (age * (-0.6931471805599453 / half_life)).exp()


def _map(column: str, points: dict[str, float], missing: float, other: float) -> pl.Expr:
    return pl.col(column).replace_strict(points, default=other, return_dtype=pl.Float64).pipe(
        lambda mapped: pl.when(pl.col(column).is_null()).then(missing).otherwise(mapped)
    )  # fmt: skip


def _fit() -> list[pl.Expr]:
    employees, revenue = pl.col("employees"), pl.col("revenue")
    size = pl.when(employees < 0).then(0.0).when(employees < 10).then(-5.0).when(employees < 200).then(5.0)
    worth = pl.when(revenue < 0).then(0.0).when(revenue < 1_000_000).then(-3.0).when(revenue < 20_000_000).then(4.0)
    rank = {"c_level": 20.0, "vp": 15.0, "director": 10.0, "manager": 5.0}
    country = {"US": 6.0, "DE": 5.0, "GB": 5.0, "FR": 4.0, "NL": 3.0}
    return [
        _map("seniority", rank, 0.0, -2.0).alias("seniority"),
        size.when(employees < 5000).then(15.0).when(employees.is_null()).then(-1.0).otherwise(8.0).alias("size"),
        _map("industry", {"software": 10.0, "finance": 8.0, "health": 6.0, "retail": 2.0}, 0.0, -1.0).alias("industry"),
        _map("country", country, -2.0, 0.0).alias("country"),
        _map("lead_source", {"referral": 14.2, "organic": 3.1, "ads": -6.0}, 4.4, -1.2).alias("source"),
        worth.when(revenue.is_null()).then(0.0).otherwise(9.0).alias("revenue"),
        _value((pl.col("crm") == "salesforce") & (employees > 50), 5.0).alias("works"),
        _value(pl.col("email_kind") == "free", -8.0).alias("mailbox"),
    ]


def _engagement() -> list[pl.Expr]:
    found = {name: pl.col(name).fill_null(0.0) for name in ENGAGEMENT}
    return [
        (found["pricing"] * 5).clip(upper_bound=20),
        (found["visits"] * 0.5).clip(upper_bound=10),
        (found["stories"] * 2).clip(upper_bound=10),
        found["docs"].clip(upper_bound=8),
        (found["jobs"] * -3).clip(lower_bound=-15),
        (found["opens"] * 0.5).clip(upper_bound=5),
        (found["clicks"] * 2).clip(upper_bound=12),
        found["week"].clip(upper_bound=2) * 3,
        found["demo"].clip(upper_bound=1) * 30,
        found["forms"] * 4,
        (found["webinars"] * 6).clip(upper_bound=12),
        (found["left"] * -40).clip(lower_bound=-40),
    ]


def _grade() -> pl.Expr:
    fit, engagement = pl.col("fit"), pl.col("engagement")
    first = pl.when(fit >= 40).then(pl.lit("A")).when(fit >= 20).then(pl.lit("B")).when(fit >= 0).then(pl.lit("C"))
    second = pl.when(engagement >= 30).then(pl.lit("1")).when(engagement >= 10).then(pl.lit("2"))
    rival = pl.col("email_domain").is_in(["rival.com", "rival.io"])
    return (
        pl.when(rival).then(pl.lit("D3"))
        .otherwise(first.otherwise(pl.lit("D")) + second.otherwise(pl.lit("3")))
    )  # fmt: skip


def scores(frame: pl.DataFrame) -> Scores:
    """Read the result for the comparison with the others."""
    return Scores(
        frame["lead"].to_numpy(),
        [frame[name].to_numpy() for name in CRITERIA],
        frame["score"].to_numpy(),
        frame["grade"].to_numpy(),
    )
