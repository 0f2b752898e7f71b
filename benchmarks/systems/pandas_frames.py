"""pandas written with care: Feather files, texts as categories, filter first, numpy for the values, one groupby."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from data import AS_OF, TYPES, event_chunks
from result import CRITERIA, ENGAGEMENT, FIT, Scores

LN2 = 0.6931471805599453
NEVER = ["email_sent", "ad_impression", "session_start", "call_logged", "note_added"]


def layout(parquet: Path, folder: Path) -> None:
    """Write Feather files with the texts of events as categories."""
    for table in ("leads", "attributes"):
        pd.read_parquet(parquet / table).to_feather(folder / f"{table}.feather")
    events = pd.concat([chunk.to_pandas() for chunk in event_chunks(parquet)], ignore_index=True)
    events["type"] = events["type"].astype(pd.CategoricalDtype(list(TYPES)))
    events["path"] = events["path"].astype("category")
    events.to_feather(folder / "events.feather", compression="uncompressed")


def score(folder: Path) -> pd.DataFrame:
    """Score everybody; the result is a frame in memory."""
    leads = pd.read_feather(folder / "leads.feather", columns=["lead", "created_at"])
    leads = leads.loc[leads["created_at"] <= AS_OF, ["lead"]]
    attributes = pd.read_feather(folder / "attributes.feather")
    known = attributes[(attributes["known_at"] <= AS_OF) & (attributes["known_until"] > AS_OF)]
    frame = leads.merge(known, on="lead", how="left").set_index("lead")
    points = pd.DataFrame(index=frame.index)
    _fit(frame, points)
    _engagement(pd.read_feather(folder / "events.feather"), points)
    fit, engagement = points[list(FIT)].sum(axis=1), points[list(ENGAGEMENT)].sum(axis=1)
    points["fit"], points["engagement"] = fit.clip(-60, 70), engagement.clip(-20, 60)
    points["fit_cap"], points["engagement_cap"] = points["fit"] - fit, points["engagement"] - engagement
    points["score"] = 5 + points["fit"] + points["engagement"]
    first = np.select([points["fit"] >= bound for bound in (40, 20, 0)], ["A", "B", "C"], "D")
    second = np.select([points["engagement"] >= bound for bound in (30, 10)], ["1", "2"], "3")
    rival = frame["email_domain"].isin(["rival.com", "rival.io"]).to_numpy()
    points["grade"] = np.where(rival, "D3", np.char.add(first, second))
    return points


def _fit(frame: pd.DataFrame, points: pd.DataFrame) -> None:
    def mapped(column: str, by: dict[str, float], missing: float, other: float) -> pd.Series:
        values = frame[column].astype("category")
        return values.map(by).astype(float).fillna(other).mask(frame[column].isna(), missing)

    points["seniority"] = mapped("seniority", {"c_level": 20, "vp": 15, "director": 10, "manager": 5}, 0, -2)
    points["size"] = _bands(frame["employees"], [0, 10, 200, 5000], [0, -5, 5, 15, 8], -1)
    points["industry"] = mapped("industry", {"software": 10, "finance": 8, "health": 6, "retail": 2}, 0, -1)
    points["country"] = mapped("country", {"US": 6, "DE": 5, "GB": 5, "FR": 4, "NL": 3}, -2, 0)
    points["source"] = mapped("lead_source", {"referral": 14.2, "organic": 3.1, "ads": -6}, 4.4, -1.2)
    points["revenue"] = _bands(frame["revenue"], [0, 1_000_000, 20_000_000], [0, -3, 4, 9], 0)
    works = (frame["crm"] == "salesforce").fillna(False) & (frame["employees"] > 50)
    points["works"] = np.where(works, 5.0, 0.0)
    points["mailbox"] = np.where((frame["email_kind"] == "free").fillna(False), -8.0, 0.0)


def _bands(values: pd.Series, cuts: list[float], given: list[float], missing: float) -> np.ndarray:
    found = np.array(given, float)[np.searchsorted(cuts, values.to_numpy(), side="right")]
    return np.where(values.isna(), missing, found)


def _engagement(events: pd.DataFrame, points: pd.DataFrame) -> None:
    events = events[(events["at"] <= AS_OF) & ~events["type"].isin(NEVER)]
    age = ((AS_OF - events["at"]) / pd.Timedelta(days=1)).to_numpy()
    kind = {name: (events["type"] == name).to_numpy() for name in TYPES}
    view, click = kind["page_view"], kind["email_click"]
    starts = {
        name: events["path"].cat.categories.str.startswith(name)[events["path"].cat.codes] & view
        for name in ("/pricing", "/customers", "/docs", "/careers")
    }
    values = {
        "pricing": np.where(starts["/pricing"], np.exp(age * (-LN2 / 14)), 0.0),
        "visits": view & (age < 30),
        "stories": np.where(starts["/customers"], np.exp(age * (-LN2 / 30)), 0.0),
        "docs": starts["/docs"] & (age < 90) & (events["seconds"] >= 60).to_numpy(),
        "jobs": starts["/careers"] & (age < 180),
        "opens": np.where(kind["email_open"], np.exp(age * (-LN2 / 30)), 0.0),
        "clicks": np.where(click, np.exp(age * (-LN2 / 21)), 0.0),
        "week": click & (age < 7),
        "demo": kind["demo_request"] & (age < 30),
        "webinars": kind["webinar_attended"] & (age < 90),
        "left": kind["unsubscribe"],
    }
    sums = pd.DataFrame(values, index=events["lead"].to_numpy(), copy=False).groupby(level=0, sort=False).sum()
    sent = kind["form_submit"]
    forms = pd.Series(np.exp(age[sent] * (-LN2 / 60)), index=events["lead"].to_numpy()[sent])
    sums["forms"] = forms[(forms.groupby(level=0).cumcount() < 3).to_numpy()].groupby(level=0).sum()
    found = sums.reindex(points.index).fillna(0.0).astype(float)
    points["pricing"] = (found["pricing"] * 5).clip(upper=20)
    points["visits"] = (found["visits"] * 0.5).clip(upper=10)
    points["stories"] = (found["stories"] * 2).clip(upper=10)
    points["docs"] = found["docs"].clip(upper=8)
    points["jobs"] = (found["jobs"] * -3).clip(lower=-15)
    points["opens"] = (found["opens"] * 0.5).clip(upper=5)
    points["clicks"] = (found["clicks"] * 2).clip(upper=12)
    points["week"] = found["week"].clip(upper=2) * 3
    points["demo"] = found["demo"].clip(upper=1) * 30
    points["forms"] = found["forms"] * 4
    points["webinars"] = (found["webinars"] * 6).clip(upper=12)
    points["left"] = (found["left"] * -40).clip(lower=-40)


def scores(points: pd.DataFrame) -> Scores:
    """Read the result for the comparison with the others."""
    columns = [points[name].to_numpy() for name in CRITERIA]
    return Scores(points.index.to_numpy(), columns, points["score"].to_numpy(), points["grade"].to_numpy())
