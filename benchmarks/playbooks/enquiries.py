"""A made-up agency: enquiries, what buyers do, viewings and offers, from a seed, with true chances that are known.

from enquiries import write_enquiries
write_enquiries(Path("data"), count=4000, seed=1, until=datetime(2026, 6, 30))
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CHANNELS = {"portal": 0.5, "website": 0.2, "social": 0.14, "open house": 0.08, "referral": 0.08}
MONEY = {"pre-approved": 0.24, "cash": 0.08, "in process": 0.2, "not yet": 0.33, "": 0.15}
MONTHS = {"1": 0.15, "3": 0.25, "6": 0.22, "12": 0.23, "": 0.15}
AREAS = ("North", "South", "Harbour", "Old Town", "Hills", "Riverside")
MESSAGES = (
    "Is this still available?", "Please send me details.", "What are the monthly costs, and is parking included?",
    "We would like to arrange a viewing this week, any time after five.",
    "Could I visit on Saturday? We like the area.", "",
)  # fmt: skip
DAY = 86_400


@dataclass(frozen=True, slots=True)
class World:
    """One row per enquiry: what is seen of it, what is hidden (`keen`), and when what came of it (NaN for never)."""

    received: Floats
    columns: dict[str, NDArray[np.str_]]
    keen: Floats
    chance: Floats
    """Of an offer, as the enquiry comes in."""
    viewing: Floats
    offer: Floats
    lost: Floats
    price: Floats


def write_enquiries(folder: Path, *, count: int, seed: int, until: datetime, days: int = 540) -> World:
    """Write enquiries.csv, activity.csv and results.csv of everything up to a day."""
    dice = np.random.default_rng(seed)
    world = _world(dice, count, days)
    end = (until - datetime(1970, 1, 1)).total_seconds() / DAY
    start = end - days
    ids = np.array([f"Q{number:05d}" for number in range(1, count + 1)])
    _write(folder / "enquiries.csv", {"enquiry": ids, "received": _times(start + world.received), **world.columns})
    who, what, when = _activity(dice, world, float(days))
    order = np.argsort(when, kind="stable")
    _write(
        folder / "activity.csv",
        {"enquiry": ids[who[order]], "activity": what[order], "at": _times(start + when[order])},
    )
    _write_results(folder / "results.csv", ids, world, start, float(days))
    return world


def _world(dice: np.random.Generator, count: int, days: int) -> World:
    received = np.sort(dice.uniform(0, days, count))
    keen = dice.normal(size=count)
    channel, money, months = (_drawn(dice, table, count) for table in (CHANNELS, MONEY, MONTHS))
    bedrooms, area = dice.integers(1, 5, count), dice.choice(AREAS, count)
    price = (120_000 + 90_000 * bedrooms) * np.exp(dice.normal(0, 0.25, count)).round(3)
    budget = price * np.exp(dice.normal(0.0, 0.18, count))
    selling, phone = dice.random(count) < 0.25, dice.random(count) < 0.55 + 0.1 * np.clip(keen, -2, 2)
    message = np.array(MESSAGES)[np.clip((2.2 + 1.1 * keen + dice.normal(0, 1.2, count)).astype(int), 0, 4)]
    message = np.where(dice.random(count) < 0.15, "", message)
    odds = (
        -3.3 + 1.0 * np.isin(money, ["pre-approved", "cash"]) + 0.4 * (money == "in process")
        + 0.8 * (months == "1") + 0.4 * (months == "3") - 0.8 * (months == "12")
        + 0.7 * (channel == "referral") - 0.9 * (budget < 0.85 * price) - 0.3 * selling + 0.9 * keen
    )  # fmt: skip
    seen = dice.random(count) < _share(odds + 1.9)
    bought = seen & (dice.random(count) < _share(odds + 1.5))
    viewing = np.where(seen, received + dice.gamma(2, 3, count), np.nan)
    offer = np.where(bought, viewing + dice.gamma(2, 7, count), np.nan)
    gone = ~bought & (dice.random(count) < 0.6)
    lost = np.where(gone, np.fmax(received, np.nan_to_num(viewing)) + 10 + dice.exponential(30, count), np.nan)
    columns = {
        "market": np.char.add(np.char.add(area, " "), bedrooms.astype(str)), "channel": channel, "financing": money,
        "timeframe_months": months, "budget": _rounded(budget, dice.random(count) < 0.2),
        "price": _rounded(price, np.zeros(count, bool)), "bedrooms": bedrooms.astype(str),
        "bathrooms": np.maximum(1, bedrooms - dice.integers(0, 3, count)).astype(str), "message": message,
        "phone": np.where(phone, "+00 555 0100", ""), "selling_own": np.where(selling, "yes", "no"),
        "no_contact": np.where(dice.random(count) < 0.02, "yes", "no"),
    }  # fmt: skip
    return World(received, columns, keen, _share(odds + 1.9) * _share(odds + 1.5), viewing, offer, lost, price)


def _activity(
    dice: np.random.Generator, world: World, end: float
) -> tuple[NDArray[np.int64], NDArray[np.str_], Floats]:
    """Draw what buyers do, as long as they are there; the keen do more of everything."""
    gone = np.nanmin([np.full_like(world.keen, np.inf), world.offer, world.lost], axis=0)
    rates = {"listing_view": 1.1, "saved": 0.1, "mortgage_calculator": -1.2, "reply": -0.6, "viewing_request": -1.0,
             "open_house": -2.2}  # fmt: skip
    who, what, when = [], [], []
    for name, rate in rates.items():
        times = dice.poisson(np.exp(rate + 0.55 * world.keen))
        row = np.repeat(np.arange(len(times)), times)
        at = world.received[row] + dice.exponential(6, len(row))
        who.append(row), what.append(np.full(len(row), name)), when.append(at)
    held = np.flatnonzero(~np.isnan(world.viewing))
    who.append(held), what.append(np.full(len(held), "viewing")), when.append(world.viewing[held])
    rows, names, moments = np.concatenate(who), np.concatenate(what), np.concatenate(when)
    kept = (moments <= gone[rows]) & (moments <= end)
    return rows[kept], names[kept], moments[kept]


def _write_results(path: Path, ids: NDArray[np.str_], world: World, start: float, end: float) -> None:
    parts = []
    for name, at in (("viewing", world.viewing), ("offer", world.offer), ("lost", world.lost)):
        came = np.flatnonzero(~np.isnan(at) & (np.nan_to_num(at, nan=np.inf) <= end))
        parts.append((came, np.full(len(came), name), at[came]))
    who, what, when = (np.concatenate([part[place] for part in parts]) for place in range(3))
    order = np.argsort(when, kind="stable")
    who, what, when = who[order], what[order], when[order]
    commission = np.where(what == "offer", (0.02 * world.price[who]).round().astype(int).astype(str), "")
    _write(path, {"enquiry": ids[who], "at": _times(start + when), "result": what, "commission": commission})


def _drawn(dice: np.random.Generator, table: dict[str, float], count: int) -> NDArray[np.str_]:
    return dice.choice(list(table), count, p=list(table.values()))


def _share(log_odds: Floats) -> Floats:
    return 1 / (1 + np.exp(-log_odds))


def _rounded(values: Floats, missing: NDArray[np.bool_]) -> NDArray[np.str_]:
    return np.where(missing, "", values.round(-3).astype(int).astype(str))


def _times(days: Floats) -> NDArray[np.str_]:
    """Write days since 1970 as times to the minute."""
    return np.datetime_as_string((days * 1440).astype("datetime64[m]"), unit="m")


def _write(path: Path, columns: dict[str, NDArray[np.str_]]) -> None:
    table = pa.table({name: pa.array(values.tolist(), pa.string()) for name, values in columns.items()})
    options = pyarrow.csv.WriteOptions(quoting_style="needed")
    pyarrow.csv.write_csv(table, path, options)
