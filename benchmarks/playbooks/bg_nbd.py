"""Repeat purchase as practice foretells it: RFM quintiles, and the BG/NBD model fitted by maximum likelihood.

BG/NBD: Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2), 275-284. While
alive, a customer buys at a rate that differs from customer to customer (gamma: r, alpha), and after each purchase may
be gone for good, with a chance that differs too (beta: a, b). All it looks at is how many repeat purchases there were
(x), when the last was (t_x) and how long the customer has been one (T). No light library that is still kept fits it
(lifetimes ended in 2020, btyd went over into pymc-marketing, which brings a sampler along), and it is thirty lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

Floats = NDArray[np.float64]
FEWEST = 100
"""With fewer customers nothing is fitted."""


@dataclass(frozen=True, slots=True)
class BgNbd:
    """The four parameters, and the log-likelihood they reach."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float

    def alive(self, x: Floats, t_x: Floats, t: Floats) -> Floats:
        """Return the probability that a customer is not gone (Fader and Hardie 2008, Computing P(alive))."""
        odds_gone = self.a / (self.b + np.maximum(x, 1) - 1) * ((self.alpha + t) / (self.alpha + t_x)) ** (self.r + x)
        return np.where(x > 0, 1 / (1 + odds_gone), 1.0)

    def buys_within(self, ahead: float, x: Floats, t_x: Floats, t: Floats) -> Floats:
        """Return the probability of a purchase in the time ahead: alive, and not silent (gamma-mixed Poisson)."""
        silent = ((self.alpha + t) / (self.alpha + t + ahead)) ** (self.r + x)
        found: Floats = self.alive(x, t_x, t) * (1 - silent)
        return found


def fit(x: Floats, t_x: Floats, t: Floats) -> BgNbd:
    """Fit by maximum likelihood (equation 6 of the paper), in whatever unit of time."""

    def loss(logs: Floats) -> float:
        r, alpha, a, b = np.exp(logs)
        buys = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        stays = betaln(a, b + x) - betaln(a, b)
        silent = -(r + x) * np.log(alpha + t)
        gone = np.where(x > 0, np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x), -np.inf)
        return -float((buys + stays + np.logaddexp(silent, gone)).sum())

    scale = float(np.mean(t))
    found = minimize(loss, np.log([0.5, scale / 4, 1.0, 3.0]), method="Nelder-Mead", options={"maxiter": 4000})
    r, alpha, a, b = np.exp(found.x).tolist()
    return BgNbd(r, alpha, a, b, -float(found.fun))


# ------------------------------------------------------------------------------------------------- a file of practice

STATE = """
    SELECT customer, count(*) - 1 AS x, (epoch(max(day)) - epoch(min(day))) / 86400 AS t_x,
        epoch(?::TIMESTAMP - min(day)) / 86400 AS t, sum(amount) AS money,
        epoch(?::TIMESTAMP - max(day)) / 86400 AS recency
    FROM (SELECT customer, date_trunc('day', "at") AS day, sum(amount) AS amount FROM orders
          WHERE type = 'order' AND "at" <= ? GROUP BY ALL)
    GROUP BY customer ORDER BY customer
"""
WITH_ARRIVAL = """
    SELECT p.customer, c.first_seen, p.known_at, p.bg_nbd, p.rfm FROM practice p JOIN customers c USING (customer)
    ORDER BY p.known_at, p.customer
"""
SOURCE = {"csv": "data/practice.csv", "id": "customer", "created_at": "first_seen", "known_at": "known_at"}
"""The source that makes attributes of it, each known from its moment on."""
PRACTICE = {"BG/NBD": "bg_nbd", "RFM": "rfm"}


def write_practice(folder: Path, *, now: datetime, every: timedelta, ahead: timedelta) -> None:
    """Write `data/practice.csv`: for each customer and moment of the grid, what BG/NBD and RFM say as of then.

    The parameters are fitted anew at each moment, on what was known then. Orders of one day count as one.
    """
    db = duckdb.connect()
    for name in ("orders", "customers"):
        db.read_csv(str(folder / "data" / f"{name}.csv"), dtype={"customer": "VARCHAR"}).create(name)
    tables = []
    moment = now - ahead
    while (found := _state(db, moment)).num_rows >= FEWEST:
        x, t_x, t, money, recency = (found.column(name).to_numpy().astype(np.float64) for name in NUMBERS)
        chance = fit(x, t_x, t).buys_within(ahead / timedelta(days=1), x, t_x, t)
        rfm = _fifth(-recency) * 100 + _fifth(x) * 10 + _fifth(money)
        known_at = pa.repeat(pa.scalar(moment, pa.timestamp("us")), len(x))
        columns = {"known_at": known_at, "bg_nbd": chance.round(6), "rfm": rfm}
        tables.append(pa.table({"customer": found.column("customer"), **columns}))
        moment -= every
    db.register("practice", pa.concat_tables(tables))
    db.sql(WITH_ARRIVAL).write_csv(str(folder / "data" / "practice.csv"))


NUMBERS = ("x", "t_x", "t", "money", "recency")


def _state(db: duckdb.DuckDBPyConnection, moment: datetime) -> pa.Table:
    return db.sql(STATE, params=[moment, moment, moment]).to_arrow_table()


def _fifth(values: Floats) -> NDArray[np.int64]:
    """Return the fifth each value lies in, 1 the lowest, ties together (Hughes 1994: scores from 1 to 5)."""
    order = np.sort(values)
    return (np.searchsorted(order, values, side="left") * 5 // len(values) + 1).astype(np.int64)
