"""A randomised campaign whose truth is known: who would come anyway, and whom the mail moves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv

from leadlight.learn.effects import Trial
from leadlight.learn.examples import Examples
from leadlight.workspace import Workspace

Kind = Literal["moved", "nobody", "opposite"]
SPEC = """
entity: customer
sources:
  people: {csv: people.csv, id: id, created_at: sent_at}
  visits: {csv: visits.csv, lead: id, at: at, outcome_is: visit, value: spent}
outcome:
  win: "outcome = 'visit'"
  horizon: 14d
  treatment: {treated: "mail = 'sent'", control: "mail = 'none'"}
"""
HOUSE = """
groups:
  fit:
    criteria:
      - {name: Orders before, feature: orders, bands: [[null, 3, 0], [3, null, 10]]}
grades: {score: {A: 10, B: null}}
"""


@dataclass(frozen=True, slots=True)
class World:
    """People of a campaign with the true effect of the mail on each."""

    trial: Trial
    effect: np.ndarray


def world(kind: Kind, *, n: int = 20_000, seed: int = 1, share: float = 0.5) -> World:
    """Draw people. Frequent buyers come anyway; the mail moves (or bores) others, by `kind`."""
    dice = np.random.default_rng(seed)
    orders, taste = dice.poisson(3, n).astype(float), dice.choice(["shoes", "hats", "bags"], n)
    age = dice.normal(45, 12, n).round()
    anyway = 1 / (1 + np.exp(2.6 - 0.45 * orders))
    effect = {
        "moved": 0.12 * (taste == "hats") + 0.05 * (age < 40),
        "nobody": np.zeros(n),
        "opposite": np.where(orders >= 4, -0.10, 0.08),
    }[kind]
    treated = dice.random(n) < share
    won = dice.random(n) < np.clip(anyway + effect * treated, 0, 1)
    features = pa.table({"orders": orders, "taste": taste, "age": age})
    return World(Trial(Examples(features, won), treated, share), effect)


def make_campaign(folder: Path, kind: Kind, *, n: int = 20_000, seed: int = 1, other_arm: bool = True) -> Workspace:
    """Write a campaign's files into a folder and read them; a third arm got something else."""
    found = world(kind, n=n, seed=seed)
    examples, dice = found.trial.examples, np.random.default_rng(seed + 1)
    mail = np.where(found.trial.treated, "sent", "none").astype(object)
    if other_arm:
        mail[dice.random(n) < 0.1] = "letter"
    ids = [f"C{number:05}" for number in range(n)]
    people = examples.features.append_column("id", pa.array(ids)).append_column("mail", pa.array(mail, pa.string()))
    people = people.append_column("sent_at", pa.array(["2026-05-01"] * n))
    pa.csv.write_csv(people, folder / "people.csv")
    came = np.flatnonzero(examples.won)
    days = dice.integers(2, 14, len(came))
    visits = {"id": [ids[i] for i in came], "at": [f"2026-05-{day:02}" for day in days],
              "spent": dice.gamma(2, 20, len(came)).round(2)}  # fmt: skip
    pa.csv.write_csv(pa.table(visits), folder / "visits.csv")
    (folder / "leadlight.yaml").write_text(SPEC)
    (folder / "scorecards").mkdir(exist_ok=True)
    (folder / "scorecards" / "house.yaml").write_text(HOUSE)
    workspace = Workspace(folder, now=lambda: _now())
    workspace.ingest()
    return workspace


def _now():
    from datetime import datetime

    return datetime(2026, 6, 1)
