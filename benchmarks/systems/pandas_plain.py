"""pandas as it is mostly written: read the Parquet files, then a filter and a groupby for each criterion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from data import AS_OF
from result import CRITERIA, ENGAGEMENT, FIT, Scores

LN2 = 0.6931471805599453


def layout(parquet: Path, folder: Path) -> None:
    """Keep the Parquet files as they are."""
    (folder / "parquet").symlink_to(parquet, target_is_directory=True)


def score(folder: Path) -> pd.DataFrame:
    """Score everybody; the result is a frame in memory."""
    leads = pd.read_parquet(folder / "parquet" / "leads")
    attributes = pd.read_parquet(folder / "parquet" / "attributes")
    events = pd.read_parquet(folder / "parquet" / "events")
    known = attributes[(attributes["known_at"] <= AS_OF) & (attributes["known_until"] > AS_OF)]
    frame = leads[leads["created_at"] <= AS_OF].merge(known, on="lead", how="left").set_index("lead")
    points = pd.DataFrame(index=frame.index)
    _fit(frame, points)
    _engagement(events[events["at"] <= AS_OF], points)
    fit, engagement = points[list(FIT)].sum(axis=1), points[list(ENGAGEMENT)].sum(axis=1)
    points["fit"], points["engagement"] = fit.clip(-60, 70), engagement.clip(-20, 60)
    points["fit_cap"], points["engagement_cap"] = points["fit"] - fit, points["engagement"] - engagement
    points["score"] = 5 + points["fit"] + points["engagement"]
    first = pd.cut(points["fit"], [-np.inf, 0, 20, 40, np.inf], right=False, labels=["D", "C", "B", "A"])
    second = pd.cut(points["engagement"], [-np.inf, 10, 30, np.inf], right=False, labels=["3", "2", "1"])
    points["grade"] = first.astype(str) + second.astype(str)
    points.loc[frame["email_domain"].isin(["rival.com", "rival.io"]), "grade"] = "D3"
    return points


def _fit(frame: pd.DataFrame, points: pd.DataFrame) -> None:
    def mapped(column: str, by: dict[str, float], missing: float, other: float) -> pd.Series:
        return frame[column].map(by).fillna(other).mask(frame[column].isna(), missing).astype(float)

    def banded(column: str, bounds: list[float], given: list[float], missing: float) -> pd.Series:
        bands = pd.cut(frame[column], bounds, right=False, labels=given, ordered=False)
        return bands.astype(float).mask(frame[column].isna(), missing)

    points["seniority"] = mapped("seniority", {"c_level": 20, "vp": 15, "director": 10, "manager": 5}, 0, -2)
    points["size"] = banded("employees", [0, 10, 200, 5000, np.inf], [-5, 5, 15, 8], -1)
    points["industry"] = mapped("industry", {"software": 10, "finance": 8, "health": 6, "retail": 2}, 0, -1)
    points["country"] = mapped("country", {"US": 6, "DE": 5, "GB": 5, "FR": 4, "NL": 3}, -2, 0)
    points["source"] = mapped("lead_source", {"referral": 14.2, "organic": 3.1, "ads": -6}, 4.4, -1.2)
    points["revenue"] = banded("revenue", [0, 1_000_000, 20_000_000, np.inf], [-3, 4, 9], 0)
    points["works"] = ((frame["crm"] == "salesforce") & (frame["employees"] > 50)) * 5.0
    points["mailbox"] = (frame["email_kind"] == "free") * -8.0


def _engagement(events: pd.DataFrame, points: pd.DataFrame) -> None:
    age = (AS_OF - events["at"]) / pd.Timedelta(days=1)
    path = events["path"].astype(str)
    view, click, form = (events["type"] == name for name in ("page_view", "email_click", "form_submit"))

    def counted(which: pd.Series) -> pd.Series:
        return events[which].groupby("lead").size().reindex(points.index).fillna(0.0)

    def decayed(which: pd.Series, half_life: float) -> pd.Series:
        weights = np.exp(age[which] * (-LN2 / half_life))
        return weights.groupby(events.loc[which, "lead"]).sum().reindex(points.index).fillna(0.0)

    earliest = events[form].sort_values(["lead", "at"]).groupby("lead").head(3).index
    points["pricing"] = (decayed(view & path.str.startswith("/pricing"), 14) * 5).clip(upper=20)
    points["visits"] = (counted(view & (age < 30)) * 0.5).clip(upper=10)
    points["stories"] = (decayed(view & path.str.startswith("/customers"), 30) * 2).clip(upper=10)
    long = view & path.str.startswith("/docs") & (events["seconds"] >= 60)
    points["docs"] = counted(long & (age < 90)).clip(upper=8)
    points["jobs"] = (counted(view & path.str.startswith("/careers") & (age < 180)) * -3).clip(lower=-15)
    points["opens"] = (decayed(events["type"] == "email_open", 30) * 0.5).clip(upper=5)
    points["clicks"] = (decayed(click, 21) * 2).clip(upper=12)
    points["week"] = counted(click & (age < 7)).clip(upper=2) * 3
    points["demo"] = counted((events["type"] == "demo_request") & (age < 30)).clip(upper=1) * 30
    points["forms"] = decayed(events.index.to_series().isin(earliest), 60) * 4
    points["webinars"] = (counted((events["type"] == "webinar_attended") & (age < 90)) * 6).clip(upper=12)
    points["left"] = (counted(events["type"] == "unsubscribe") * -40).clip(lower=-40)


def scores(points: pd.DataFrame) -> Scores:
    """Read the result for the comparison with the others."""
    columns = [points[name].to_numpy() for name in CRITERIA]
    return Scores(points.index.to_numpy(), columns, points["score"].to_numpy(), points["grade"].to_numpy())
